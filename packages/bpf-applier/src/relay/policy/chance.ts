const million = 1_000_000;

/**
 * Whether it happens to this request.
 * @param percent 0 to 100; the fourth decimal place is the last that counts, as in our xDS
 * @param random 0 up to 1; not asked where the percentage leaves no doubt
 */
export function happens(percent: number, random: () => number): boolean {
  const share = Math.floor(percent * (million / 100));
  if (share <= 0) return false;
  return share >= million || Math.floor(random() * million) < share;
}
