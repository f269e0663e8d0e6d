/** Random choices that are the same for the same seed, on every machine. */
export class RandomSource {
  private state: number;

  /** @param seed any integer. */
  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** 0 ≤ x < 1 (mulberry32, a generator with 32 bits of state in the public domain). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let x = this.state;
    x = Math.imul(x ^ (x >>> 15), x | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 0x1_0000_0000;
  }

  /** least ≤ x ≤ most, both integers. */
  integer(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** @throws RangeError for an empty list. */
  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.integer(0, items.length - 1)];
    if (item === undefined) throw new RangeError("nothing to pick from: the list is empty");
    return item;
  }

  /** Each item with the given probability, in their order. */
  some<Item>(items: readonly Item[], probability = 0.5): Item[] {
    return items.filter(() => this.chance(probability));
  }

  /** As many as drawn between the two bounds. */
  times<Item>(least: number, most: number, make: (i: number) => Item): Item[] {
    return Array.from({ length: this.integer(least, most) }, (_, i) => make(i));
  }

  /** The made thing, or undefined. */
  maybe<Item>(probability: number, make: () => Item): Item | undefined {
    return this.chance(probability) ? make() : undefined;
  }
}
