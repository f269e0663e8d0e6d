import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Backoff } from "./backoff.ts";

const waits = (backoff: Backoff, count: number): number[] =>
  Array.from({ length: count }, () => backoff.next());

test("waits double up to the last", () => {
  expect(waits(new Backoff(100, 1_000, () => 0), 6)).toEqual([100, 200, 400, 800, 1_000, 1_000]);
});

test("a wait is cut by up to half", () => {
  expect(waits(new Backoff(100, 1_000, () => 0.999_999), 1)[0]).toBeCloseTo(50, 3);
  expect(waits(new Backoff(100, 1_000, () => 0.5), 3)).toEqual([75, 150, 300]);
});

test("a reset begins anew", () => {
  const backoff = new Backoff(100, 1_000, () => 0);
  waits(backoff, 5);
  backoff.reset();
  expect(waits(backoff, 2)).toEqual([100, 200]);
});

test("every wait is within its bounds, after any number of failures", () => {
  const failures = fc.integer({ min: 0, max: 2_000 });
  const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(failures, fraction, (count, random) => {
      const backoff = new Backoff(250, 15_000, () => random);
      waits(backoff, count);
      const full = Math.min(15_000, 250 * 2 ** count);
      const wait = backoff.next();
      return wait <= full && wait >= full / 2;
    }),
  );
});

test("two clients that fail together do not come back together", () => {
  const [first, second] = [new Backoff(250, 15_000), new Backoff(250, 15_000)];
  expect(waits(first, 10)).not.toEqual(waits(second, 10));
});
