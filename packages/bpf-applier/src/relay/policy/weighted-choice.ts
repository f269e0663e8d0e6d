/**
 * A draw by weights, relative to their sum; all 0: equal shares.
 * @throws RangeError if there is nothing to choose from
 */
export function weightedChoice<Item extends { readonly weight: number }>(
  items: readonly Item[],
): (random: () => number) => Item {
  const some = items.filter(({ weight }) => weight > 0);
  const used = some.length > 0 ? some : items.map((item) => ({ ...item, weight: 1 }));
  const last = used.at(-1);
  if (last === undefined) throw new RangeError("there is nothing to choose from");
  if (used.length === 1) return () => last;
  const total = used.reduce((sum, { weight }) => sum + weight, 0);
  return (random) => {
    let left = Math.floor(random() * total);
    for (const item of used) {
      if (left < item.weight) return item;
      left -= item.weight;
    }
    return last;
  };
}
