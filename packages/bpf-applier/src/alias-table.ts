/** A slot is kept with probability `threshold / 2^32`, else `alias` is taken. */
export interface AliasSlot {
  readonly threshold: number;
  readonly alias: number;
}

const always = 0xffff_ffff;

/**
 * Vose's alias method: a draw costs two random numbers and at most two look-ups, whatever the number of items.
 * Slot i belongs to item i. Equal weights give equal tables.
 * @param weights positive, finite
 */
export function aliasTable(weights: readonly number[]): AliasSlot[] {
  const sum = weights.reduce((a, b) => a + b, 0);
  const scaled = weights.map((weight) => (weight * weights.length) / sum);
  const slots: AliasSlot[] = weights.map((_, i) => ({ threshold: always, alias: i }));
  const small: number[] = [];
  const large: number[] = [];
  scaled.forEach((share, i) => (share < 1 ? small : large).push(i));
  while (small.length > 0 && large.length > 0) {
    const poor = small.pop() as number;
    const rich = large.pop() as number;
    const share = scaled[poor] as number;
    slots[poor] = { threshold: Math.min(always, Math.round(share * 2 ** 32)), alias: rich };
    const rest = (scaled[rich] as number) - (1 - share);
    scaled[rich] = rest;
    (rest < 1 ? small : large).push(rich);
  }
  // What is left has a share of 1, but for rounding.
  return slots;
}
