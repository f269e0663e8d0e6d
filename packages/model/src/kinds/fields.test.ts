import { expect, test } from "vitest";
import { duration, durationMs } from "./fields.ts";

test.each([
  ["0s", 0n],
  ["1.5s", 1500n],
  ["1h2m3s", 3_723_000n],
  ["200ms", 200n],
  ["1ns", 1n],
  ["1500us", 2n],
  ["87660000h", 315_576_000_000_000n],
])("%s is %d ms", (text, expected) => {
  expect(duration.safeParse(text).success).toBe(true);
  expect(durationMs(text)).toBe(expected);
});

test.each([
  "",
  "1",
  "s",
  "-1s",
  "1 s",
  "1d",
  "1e3s",
  "87660001h",
  `${"9".repeat(90)}h`,
  `${"9".repeat(400)}h`,
])("%j is no duration", (text) => {
  expect(duration.safeParse(text).success).toBe(false);
});
