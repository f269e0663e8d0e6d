/** How often each key was seen. */
export type Tally = Record<string, number>;

export function count(tally: Tally, key: string, times = 1): void {
  tally[key] = (tally[key] ?? 0) + times;
}

export const total = (tally: Tally): number => Object.values(tally).reduce((sum, times) => sum + times, 0);

/** Adds up under new keys; what `key` gives undefined for is left out. */
export function regroup(tally: Tally, key: (old: string) => string | undefined): Tally {
  const grouped: Tally = {};
  for (const [old, times] of Object.entries(tally)) {
    const wanted = key(old);
    if (wanted !== undefined) count(grouped, wanted, times);
  }
  return grouped;
}
