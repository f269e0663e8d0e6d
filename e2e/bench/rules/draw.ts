import type { Shape } from "./shapes.ts";

/** Of all requests, those that no rule holds for. */
const unmatched = 0.2;

/** Numbers from 0 up to 1, the same in every run (xorshift of 32 bits, Marsaglia 2003). */
function randomNumbers(seed: number): () => number {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/**
 * Heads of requests, one behind the other: rules are drawn by Zipf's law over all of them, the nth half as often as its
 * half, and a fifth of the requests is for none.
 */
export function drawRequests(shape: Shape, rules: number, count: number): string {
  const random = randomNumbers(13);
  const sums: number[] = [];
  for (let rule = 0; rule < rules; rule++) sums.push((sums.at(-1) ?? 0) + 1 / (rule + 1));
  const heads: string[] = [];
  for (let i = 0; i < count; i++) {
    const isMatched = random() >= unmatched;
    heads.push(shape.request(isMatched ? firstAbove(sums, random() * (sums.at(-1) ?? 0)) : undefined));
  }
  return heads.join("");
}

/** The first place whose sum is greater. */
function firstAbove(sums: readonly number[], wanted: number): number {
  let [low, high] = [0, sums.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sums[middle] ?? 0) > wanted) high = middle;
    else low = middle + 1;
  }
  return low;
}
