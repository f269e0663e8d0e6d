import { expect, test } from "vitest";
import { parseGoDuration } from "./go-duration.ts";

test.each([
  ["0", 0],
  ["0s", 0],
  ["1h2m3s", 3_723_000],
  ["1.5h", 5_400_000],
  ["100ms", 100],
  ["1us", 0.001],
  ["1µs", 0.001],
  ["2m0.5s", 120_500],
  [".5s", 500],
  ["1.s", 1_000],
  ["-1s", -1_000],
  ["+1s", 1_000],
  ["2562047h47m16.854775807s", Infinity],
])("%s", (text, milliseconds) => {
  expect(parseGoDuration(text)).toBe(milliseconds);
});

test.each([
  "",
  "10",
  "s",
  ".s",
  "1",
  "1 s",
  "1d",
  "1h-2m",
  "--1s",
  "1s ",
  "2562047h47m16.854775808s",
  "9".repeat(40),
])("%j is refused", (text) => {
  expect(() => parseGoDuration(text)).toThrow(`"${text}" is `);
});
