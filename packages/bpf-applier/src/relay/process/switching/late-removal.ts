/** Entries wait for so many milliseconds, as one grace period serves all of them. */
export const gatherMs = 500;

/** A map that entries are removed from; see `BpfMap`. */
export interface Shrinking {
  /** Missing keys are passed over. */
  batchDelete(keys: Uint8Array): Promise<number>;
}

interface Entry {
  readonly key: Uint8Array;
  readonly onRemoved: () => void;
}

type Batch = Map<Shrinking, Entry[]>;

/**
 * Removes entries that are nobody's any more once no program can have them in hand (bpf/switching/known.h). They take room of their
 * maps until then: where connections come and go so fast that there is none, new ones are the relay's alone. What is not removed
 * when the process ends says that it is nobody's, and is removed by the next one.
 */
export class LateRemoval {
  private readonly gracePeriod: () => Promise<void>;
  private waiting: Batch = new Map();
  private timer: NodeJS.Timeout | undefined;
  private removing: Promise<void> | undefined;
  private closed = false;

  /** @param gracePeriod resolves when all programs have ended that ran as it was called */
  constructor(gracePeriod: () => Promise<void>) {
    this.gracePeriod = gracePeriod;
  }

  /** The entry is nobody's by now. */
  add(map: Shrinking, key: Uint8Array, onRemoved = (): void => undefined): void {
    this.wait(map, [{ key, onRemoved }]);
  }

  /** The entry is somebody's again. @returns false: it does not wait, but is being removed, or has been */
  keep(map: Shrinking, key: Uint8Array): boolean {
    const waiting = this.waiting.get(map) ?? [];
    const others = waiting.filter((entry) => Buffer.compare(entry.key, key) !== 0);
    if (others.length === waiting.length) return false;
    if (others.length > 0) this.waiting.set(map, others);
    else this.waiting.delete(map);
    return true;
  }

  /** What is being removed now is removed, or waits again. */
  async settled(): Promise<void> {
    await this.removing?.catch(() => undefined);
  }

  /** All that waits, at once. @throws Error if the kernel refuses; it is tried again later */
  async flush(): Promise<void> {
    while (this.removing !== undefined) await this.settled();
    await this.begin();
  }

  /** What is being removed is removed; the rest is the next relay's. */
  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    this.waiting.clear();
    await this.settled();
  }

  private wait(map: Shrinking, entries: readonly Entry[]): void {
    if (this.closed) return;
    const others = this.waiting.get(map);
    if (others === undefined) this.waiting.set(map, [...entries]);
    else for (const entry of entries) others.push(entry);
    this.schedule();
  }

  private schedule(): void {
    if (this.closed || this.timer !== undefined || this.removing !== undefined || this.waiting.size === 0)
      return;
    this.timer = setTimeout(() => {
      this.begin().catch(() => undefined); // it waits for the next time
    }, gatherMs);
    this.timer.unref();
  }

  private begin(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const batch = this.waiting;
    this.waiting = new Map();
    this.removing = this.remove(batch).finally(() => {
      this.removing = undefined;
      this.schedule();
    });
    return this.removing;
  }

  private async remove(batch: Batch): Promise<void> {
    if (batch.size === 0) return;
    try {
      await this.gracePeriod();
      for (const [map, entries] of batch) {
        await map.batchDelete(Buffer.concat(entries.map(({ key }) => key)));
        batch.delete(map);
        for (const { onRemoved } of entries) onRemoved();
      }
    } catch (error) {
      for (const [map, entries] of batch) this.wait(map, entries);
      throw error;
    }
  }
}
