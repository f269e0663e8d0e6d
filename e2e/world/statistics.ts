import { type Tally, total } from "./tally.ts";

export interface ChiSquare {
  /** Pearson's statistic; infinite if something was seen that has no share. */
  readonly statistic: number;
  /** What a true split exceeds once in a million times. */
  readonly bound: number;
}

/** Whether both may come from the same split: their distances from what both have together. 11 keys at most. */
export function sameShares(one: Tally, other: Tally): ChiSquare {
  const all = total(one) + total(other);
  const keys = [...new Set([one, other].flatMap(Object.keys))];
  const shares = Object.fromEntries(keys.map((key) => [key, ((one[key] ?? 0) + (other[key] ?? 0)) / all]));
  const [first, second] = [chiSquare(one, shares), chiSquare(other, shares)];
  return { statistic: first.statistic + second.statistic, bound: first.bound };
}

/** Quantiles of the chi-square distribution at 1 - 1e-6, by degrees of freedom from 0. */
const bounds = [0, 23.93, 27.63, 30.66, 33.38, 35.89, 38.26, 40.52, 42.7, 44.81, 46.86] as const;

/**
 * How far what was seen is from what the shares lead to expect.
 * @param shares sum to 1, each above 0; 11 at most
 */
export function chiSquare(seen: Tally, shares: Readonly<Record<string, number>>): ChiSquare {
  const keys = Object.keys(shares);
  const bound = bounds[keys.length - 1];
  if (bound === undefined) throw new RangeError(`${keys.length} shares; 1 to ${bounds.length} can be tested`);
  const all = total(seen);
  const strangers = Object.keys(seen).some((key) => !(key in shares) && (seen[key] ?? 0) > 0);
  if (strangers || all === 0) return { statistic: Number.POSITIVE_INFINITY, bound };
  const statistic = keys.reduce((sum, key) => {
    const expected = all * (shares[key] ?? 0);
    return sum + ((seen[key] ?? 0) - expected) ** 2 / expected;
  }, 0);
  return { statistic, bound };
}
