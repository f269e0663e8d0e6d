import { expect, test } from "vitest";
import { normaliseCidr } from "./cidr.ts";

test.each([
  ["10.1.2.3/8", "10.0.0.0/8"],
  ["10.1.2.3", "10.1.2.3/32"],
  ["10.1.2.3/0", "0.0.0.0/0"],
  ["10.1.255.3/17", "10.1.128.0/17"],
  ["fd00:1:2::3/32", "fd00:1::/32"],
  ["10.1.2.3/33", undefined],
  ["10.1.2.3/", undefined],
  ["host", undefined],
])("%s is the block %s", (text, expected) => {
  expect(normaliseCidr(text)).toBe(expected);
});
