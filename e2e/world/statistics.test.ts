import { expect, test } from "vitest";
import { chiSquare } from "./statistics.ts";

/** Probability that a chi-square variable exceeds x: closed forms by even and odd degrees of freedom. */
function exceeds(x: number, degrees: number): number {
  const odd = degrees % 2 === 1;
  let term = odd ? Math.sqrt((2 * x) / Math.PI) * Math.exp(-x / 2) : Math.exp(-x / 2);
  let sum = odd ? 0 : term;
  for (let k = odd ? 1 : 2; k < degrees; k += 2) {
    if (odd) sum += term;
    term *= x / (odd ? k + 2 : k);
    if (!odd) sum += term;
  }
  return odd ? normalTails(Math.sqrt(x)) + sum : sum;
}

/** Both tails of the normal distribution beyond z, by its continued fraction (Abramowitz and Stegun 26.2.14). */
function normalTails(z: number): number {
  let fraction = z;
  for (let i = 200; i > 0; i--) fraction = z + i / fraction;
  return (2 * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI) / fraction;
}

const even = (n: number): Record<string, number> =>
  Object.fromEntries(Array.from({ length: n }, (_, i) => [`v${i}`, 1 / n]));

test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])(
  "the bound for %i degrees of freedom is exceeded once in a million",
  (degrees) => {
    const { bound } = chiSquare({ v0: 1 }, even(degrees + 1));
    expect(exceeds(bound, degrees) * 1e6).toBeCloseTo(1, 1);
  },
);

test("Pearson's statistic of an example", () => {
  // (50-40)²/40 + (20-30)²/30 + (30-30)²/30
  const { statistic } = chiSquare({ a: 50, b: 20, c: 30 }, { a: 0.4, b: 0.3, c: 0.3 });
  expect(statistic).toBeCloseTo(100 / 40 + 100 / 30, 10);
});

test("a split that is far off exceeds the bound, one that is near does not", () => {
  const far = chiSquare({ v0: 600, v1: 400 }, even(2));
  const near = chiSquare({ v0: 520, v1: 480 }, even(2));
  expect(far.statistic).toBeGreaterThan(far.bound);
  expect(near.statistic).toBeLessThan(near.bound);
});

test("one without a share, and nothing at all, fit no split", () => {
  expect(chiSquare({ v0: 50, v1: 50, v2: 1 }, even(2)).statistic).toBe(Number.POSITIVE_INFINITY);
  expect(chiSquare({}, even(2)).statistic).toBe(Number.POSITIVE_INFINITY);
});
