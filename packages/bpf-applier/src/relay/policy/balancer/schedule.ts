/** Earliest deadline first: who weighs twice as much is next twice as often (as Envoy's EdfScheduler). */
export class Schedule<Item> {
  private readonly weightOf: (item: Item) => number;
  /** A binary heap, the next one first. */
  private readonly heap: { readonly item: Item; deadline: number; order: number }[] = [];
  private now = 0;
  private order = 0;

  /** @param weightOf above 0; asked anew whenever the item was next */
  constructor(items: readonly Item[], weightOf: (item: Item) => number) {
    this.weightOf = weightOf;
    for (const item of items) {
      this.heap.push({ item, deadline: 1 / weightOf(item), order: this.order++ });
      this.up(this.heap.length - 1);
    }
  }

  next(): Item | undefined {
    const [first] = this.heap;
    if (first === undefined) return undefined;
    this.now = first.deadline;
    first.deadline = this.now + 1 / this.weightOf(first.item);
    first.order = this.order++;
    this.down();
    return first.item;
  }

  private comesBefore(a: number, b: number): boolean {
    const one = this.heap[a];
    const other = this.heap[b];
    if (one === undefined || other === undefined) return one !== undefined;
    return one.deadline < other.deadline || (one.deadline === other.deadline && one.order < other.order);
  }

  private swap(a: number, b: number): void {
    const [one, other] = [this.heap[a], this.heap[b]];
    if (one === undefined || other === undefined) return;
    this.heap[a] = other;
    this.heap[b] = one;
  }

  private up(start: number): void {
    for (let at = start; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!this.comesBefore(at, parent)) return;
      this.swap(at, parent);
      at = parent;
    }
  }

  private down(): void {
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      const child = this.comesBefore(left + 1, left) ? left + 1 : left;
      if (!this.comesBefore(child, at)) return;
      this.swap(at, child);
      at = child;
    }
  }
}
