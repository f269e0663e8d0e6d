/** What is counted of a peer's stream while it has begun something and not finished it. */
export interface Begun {
  /** The connection that it came on. */
  readonly session: object;
  bytes: number;
  /** When it began, in ms, by the monotonic clock. */
  since: number;
}

/** Of one connection; items are in the order in which they began. */
interface Share<Item> {
  bytes: number;
  readonly items: Set<Item>;
}

/** Sums up what peers have begun and not finished, by connection. */
export class Unfinished<Item extends Begun> {
  private readonly shares = new Map<object, Share<Item>>();
  private sum = 0;

  /** Bytes of all. */
  get total(): number {
    return this.sum;
  }

  /** @param bytes of it; from 0 it begins now, and with 0 it is finished */
  set(item: Item, bytes: number): void {
    // Most messages come whole: there is nothing to note of them.
    if (item.bytes === 0 && bytes === 0) return;
    const share = this.shares.get(item.session) ?? { bytes: 0, items: new Set() };
    if (item.bytes === 0) item.since = performance.now();
    share.bytes += bytes - item.bytes;
    this.sum += bytes - item.bytes;
    item.bytes = bytes;
    if (bytes > 0) share.items.add(item);
    else share.items.delete(item);
    if (share.items.size > 0) this.shares.set(item.session, share);
    else this.shares.delete(item.session);
  }

  /** The oldest of the connection that has the most bytes: who takes much loses it first. */
  heaviest(): Item | undefined {
    let most: Share<Item> | undefined;
    for (const share of this.shares.values()) if (share.bytes > (most?.bytes ?? 0)) most = share;
    return most?.items.values().next().value;
  }

  /** Those that began before this time. */
  olderThan(since: number): Item[] {
    return [...this.shares.values()].flatMap(({ items }) => [...items].filter((item) => item.since < since));
  }
}
