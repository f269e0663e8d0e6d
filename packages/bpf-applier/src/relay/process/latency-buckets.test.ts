import fc from "fast-check";
import { expect, test } from "vitest";
import { bucketCount, bucketEnd, bucketOf } from "./latency-buckets.ts";

test("times fall into buckets in their order, eight to each power of two", () => {
  expect([0, 0.4, 1, 7.9, 8, 8.9, 9, 15, 16, 17.9, 18].map(bucketOf)).toEqual([
    0, 0, 1, 7, 8, 8, 9, 15, 16, 16, 17,
  ]);
  expect(bucketOf(2 ** 31 - 1)).toBe(bucketCount - 2);
  expect(bucketOf(2 ** 31)).toBe(bucketCount - 1);
  expect(bucketOf(Number.MAX_SAFE_INTEGER)).toBe(bucketCount - 1);
});

test("who shares a bucket differs by an eighth at most", () => {
  const time = fc.integer({ min: 8, max: 2 ** 31 - 1 });
  fc.assert(
    fc.property(time, time, (a, b) => {
      if (bucketOf(a) === bucketOf(b)) expect(Math.abs(a - b)).toBeLessThan(Math.min(a, b) / 8 + 1);
      else expect(bucketOf(a) < bucketOf(b)).toBe(a < b);
    }),
  );
});

test("a bucket ends where the next one begins", () => {
  for (let bucket = 0; bucket < bucketCount - 1; bucket++) {
    expect(bucketOf(bucketEnd(bucket) - 0.5)).toBe(bucket);
    expect(bucketOf(bucketEnd(bucket))).toBe(bucket + 1);
  }
  expect(bucketEnd(bucketCount - 1)).toBe(Number.POSITIVE_INFINITY);
});
