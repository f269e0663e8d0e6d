import { isIPv4, isIPv6 } from "node:net";
import { expect, test } from "vitest";
import { podAddresses, serviceAddresses } from "./network.ts";

test("addresses are valid and no two are equal", () => {
  const indices = [1, 9, 10, 255, 256, 65_000];
  const all = indices.flatMap((i) => [podAddresses(i), serviceAddresses(i)]);
  expect(all.every(({ ipv4, ipv6 }) => isIPv4(ipv4) && isIPv6(ipv6))).toBe(true);
  expect(new Set(all.map(({ ipv4 }) => ipv4)).size).toBe(all.length);
  expect(new Set(all.map(({ ipv6 }) => ipv6)).size).toBe(all.length);
});

test.each([0, 65_001, 1.5])("there is no %dth address", (index) => {
  expect(() => podAddresses(index)).toThrow(`found ${index}`);
});
