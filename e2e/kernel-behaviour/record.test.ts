import { expect, test } from "vitest";
import { freshReadme } from "./readme.ts";
import { compareWithRecords, type KernelRecord, seriesOf } from "./record.ts";

const record = (release: string, value: string): KernelRecord => ({
  release,
  version: "#1",
  behaviours: { sleep: { "wakes up": value } },
});
const records = new Map([
  ["6.1", record("6.1.5-cloud", "late")],
  ["7.2", record("7.2.13-cloud", "at once")],
]);
const compare =
  (value: string, kernel: string, key = "wakes up") =>
  () => {
    compareWithRecords("sleep", { [key]: value }, records, kernel);
  };

test("a recorded kernel must do what it did", () => {
  expect(compare("late", "6.1.5-cloud")).not.toThrow();
  expect(compare("at once", "6.1.5-cloud")).toThrow('"sleep" is not what is recorded of 6.1.5-cloud');
});

test("another kernel must do what some recorded kernel does", () => {
  expect(compare("late", "6.12.1")).not.toThrow();
  expect(compare("at once", "6.1.6-cloud")).not.toThrow();
  expect(compare("never", "6.12.1")).toThrow("wakes up: never, where recorded kernels have late, at once");
  expect(compare("late", "6.12.1", "sleeps")).toThrow("sleeps: late");
});

test("nothing passes without a record", () => {
  expect(() => compareWithRecords("walk", {}, records, "6.1.5-cloud")).toThrow(
    'nothing is recorded of "walk"',
  );
  expect(seriesOf("6.18.44-fc-v669")).toBe("6.18");
  expect(() => seriesOf("next")).toThrow("kernel next: expected");
});

test("the README tells what is recorded; else run: node e2e/kernel-behaviour/readme.ts", async () => {
  const { found, expected } = await freshReadme();
  expect(found).toBe(expected);
});
