import { bucketsPerPower, lastPower } from "@keelson/bpf";

/**
 * Log-linear buckets of times: below 8 µs one each, above it eight to each power of two, so that a bucket is at most an eighth
 * as wide as what is in it. The last one holds all from 2³¹ µs (36 minutes) on.
 */

export const bucketCount = (lastPower - 1) * bucketsPerPower + 1;

/** @param microseconds 0 or more */
export function bucketOf(microseconds: number): number {
  const value = Math.floor(microseconds);
  if (value < bucketsPerPower) return Math.max(0, value);
  if (value >= 2 ** (lastPower + 1)) return bucketCount - 1;
  const power = 31 - Math.clz32(value);
  return (power - 2) * bucketsPerPower + ((value >> (power - 3)) & (bucketsPerPower - 1));
}

/** @returns microseconds: what is in the bucket took less; of the last one: Infinity */
export function bucketEnd(bucket: number): number {
  if (bucket < bucketsPerPower) return bucket + 1;
  if (bucket >= bucketCount - 1) return Number.POSITIVE_INFINITY;
  const power = Math.floor(bucket / bucketsPerPower) + 2;
  return 2 ** power + ((bucket % bucketsPerPower) + 1) * 2 ** (power - 3);
}
