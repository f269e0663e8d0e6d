import { expect, test } from "vitest";
import { xxhash64 } from "./xxhash64.ts";

// What the reference implementation (https://github.com/Cyan4973/xxHash) says.
test.each([
  ["", 0n, 17241709254077376921n],
  ["a", 0n, 15154266338359012955n],
  ["foo", 0n, 3728699739546630719n],
  ["10.0.0.1:8080_17", 0n, 12515119491994820727n],
  ["10.0.0.1:8080", 1n, 1007937632875426856n],
  ["lorem ipsum dolor sit amet, consectetur adipiscing elit: été", 7n, 2763370520882500877n],
])("%j with seed %d", (text, seed, wanted) => {
  expect(xxhash64(text, seed)).toBe(wanted);
});
