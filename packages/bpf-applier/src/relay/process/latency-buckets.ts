/**
 * Log-linear buckets of times: below 8 µs one each, above it eight to each power of two, so that a bucket is at most an eighth
 * as wide as what is in it. The last one holds all from 2³¹ µs (36 minutes) on.
 */
const perPower = 8;
const lastPower = 30;

export const bucketCount = (lastPower - 1) * perPower + 1;

/** @param microseconds 0 or more */
export function bucketOf(microseconds: number): number {
  const value = Math.floor(microseconds);
  if (value < perPower) return Math.max(0, value);
  if (value >= 2 ** (lastPower + 1)) return bucketCount - 1;
  const power = 31 - Math.clz32(value);
  return (power - 2) * perPower + ((value >> (power - 3)) & (perPower - 1));
}
