/** How many items are run between two looks at the clock. */
const looks = 8;

/**
 * Runs something for many items in slices, between which the event loop turns: whoever waits is served in the order of
 * waiting, and what comes in meanwhile is not held up.
 */
export class PushQueue<Item> {
  private readonly waiting = new Set<Item>();
  private readonly run: (item: Item) => void;
  private readonly slice: { readonly ms: number; readonly items: number };
  private next: NodeJS.Immediate | undefined;

  constructor(run: (item: Item) => void, slice: { readonly ms: number; readonly items: number }) {
    this.run = run;
    this.slice = slice;
  }

  /** Those that wait already keep their place. The first slice runs at once, unless others wait. */
  add(items: Iterable<Item>): void {
    for (const item of items) this.waiting.add(item);
    if (this.next === undefined) this.runSlice();
  }

  remove(item: Item): void {
    this.waiting.delete(item);
  }

  clear(): void {
    this.waiting.clear();
    clearImmediate(this.next);
    this.next = undefined;
  }

  private runSlice(): void {
    const end = performance.now() + this.slice.ms;
    let count = 0;
    this.next = undefined;
    for (const item of this.waiting) {
      // Most items take less time than a look at the clock.
      if (count === this.slice.items || (count % looks === 0 && performance.now() >= end)) break;
      count += 1;
      this.waiting.delete(item);
      this.run(item);
    }
    if (this.waiting.size > 0) this.next ??= setImmediate(() => this.runSlice());
  }
}
