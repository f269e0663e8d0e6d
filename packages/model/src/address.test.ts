import { isIP } from "node:net";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { familyOf, formatAddress, formatEndpoint, mapAddress, parseAddress } from "./address.ts";

const v4 = Uint8Array.of(10, 96, 0, 1);
const v6 = Uint8Array.of(0xfd, 0, 0, 0x96, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);

test("IPv4 stands as IPv4-mapped IPv6", () => {
  expect(Buffer.from(mapAddress(v4)).toString("hex")).toBe("00000000000000000000ffff0a600001");
  expect(mapAddress(v6)).toBe(v6);
});

test("the family is the one a caller dials", () => {
  expect([familyOf(v4), familyOf(mapAddress(v4)), familyOf(v6)]).toEqual(["IPv4", "IPv4", "IPv6"]);
});

test("text as people write it", () => {
  expect(formatEndpoint(v4, 80)).toBe("10.96.0.1:80");
  expect(formatEndpoint(mapAddress(v4), 80)).toBe("10.96.0.1:80");
  expect(formatEndpoint(v6, 80)).toBe("[fd00:96::1]:80");
});

test("any 16 bytes are written as a valid address", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
      expect(isIP(formatAddress(bytes))).toBe(familyOf(bytes) === "IPv4" ? 4 : 6);
    }),
  );
});

test.each([0, 3, 5, 15, 17])("%i bytes are refused", (length) => {
  expect(() => mapAddress(new Uint8Array(length))).toThrow(`found ${length}`);
});

test("text that is parsed and written again is the same address", () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
      const address = parseAddress(text);
      expect(address).toBeDefined();
      expect(parseAddress(formatAddress(address ?? new Uint8Array()))).toEqual(
        familyOf(address ?? new Uint8Array()) === "IPv4" ? address?.slice(-4) : address,
      );
    }),
  );
});

test.each(["", "10.0.0", "10.0.0.256", "fe80::1%eth0", "::1::", "None"])("%j is no address", (text) => {
  expect(parseAddress(text)).toBeUndefined();
});
