import { expect, test } from "vitest";
import { quantile, ratioOf, spreadOf, tailOf } from "./spread.ts";

const toHundred = Array.from({ length: 101 }, (_, i) => 100 - i);

test("quantiles lie between two neighbours, whatever the order", () => {
  expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
  expect(quantile([7], 0.99)).toBe(7);
  expect(quantile(Uint32Array.of(10, 20), 0.25)).toBe(12.5);
  // As text, 10 would sort before 9.
  expect(quantile([10, 9, 100], 1)).toBe(100);
});

test("of nothing there is no quantile", () => {
  expect(() => quantile([], 0.5)).toThrow("there are no values");
});

test("median and tail of single measurements, median and tenths of rounds", () => {
  expect(tailOf(toHundred)).toEqual({ median: 50, p99: 99 });
  expect(spreadOf(toHundred)).toEqual({ median: 50, low: 10, high: 90 });
});

test("a ratio is taken round by round", () => {
  expect(ratioOf([2, 40, 6], [1, 20, 2])).toMatchObject({ median: 2 });
  expect(() => ratioOf([1], [1, 2])).toThrow("1 rounds cannot be held against 2");
});
