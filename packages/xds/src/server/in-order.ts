/** Whether a list is just what a set holds, in the order in which it came there. */
export function isInOrder<Item>(set: ReadonlySet<Item>, list: readonly Item[]): boolean {
  if (set.size !== list.length) return false;
  let place = 0;
  for (const item of set) {
    if (item !== list[place]) return false;
    place += 1;
  }
  return true;
}
