interface Entry {
  body: Buffer | undefined;
  hit: number;
  miss: number;
}

export interface CacheStatistics {
  readonly hit: number;
  readonly miss: number;
}

/** What an entry takes beside its key and its body. */
const entryBytes = 200;

/**
 * Answers by URL, as Pilot kept them: all are forgotten at once when anything changes, while their counts stay. Pilot's
 * grew without end; here the one that was not asked for the longest goes when `maxBytes` are used.
 */
export class ResponseCache {
  /** In the order in which they were asked for. */
  private readonly entries = new Map<string, Entry>();
  private readonly maxBytes: number;
  private used = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** Counts a hit if there is an answer. */
  get(key: string): Buffer | undefined {
    const entry = this.entries.get(key);
    if (entry?.body === undefined) return undefined;
    entry.hit++;
    this.entries.delete(key);
    this.entries.set(key, entry);
    return entry.body;
  }

  /** Counts a miss. */
  set(key: string, body: Buffer): void {
    const old = this.entries.get(key);
    if (old !== undefined) this.remove(key, old);
    const entry = { body, hit: old?.hit ?? 0, miss: (old?.miss ?? 0) + 1 };
    const size = sizeOf(key, entry);
    if (size > this.maxBytes) return;
    for (const [oldest, other] of this.entries) {
      if (this.used + size <= this.maxBytes) break;
      this.remove(oldest, other);
    }
    this.entries.set(key, entry);
    this.used += size;
  }

  /** Forgets all answers, and no counts. */
  flush(): void {
    for (const [key, entry] of this.entries) {
      this.used -= sizeOf(key, entry);
      entry.body = undefined;
      this.used += sizeOf(key, entry);
    }
  }

  resetStatistics(): void {
    for (const entry of this.entries.values()) {
      entry.hit = 0;
      entry.miss = 0;
    }
  }

  /** Sorted by key. */
  statistics(): Record<string, CacheStatistics> {
    return Object.fromEntries(
      [...this.entries]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, { hit, miss }]) => [key, { hit, miss }]),
    );
  }

  private remove(key: string, entry: Entry): void {
    this.entries.delete(key);
    this.used -= sizeOf(key, entry);
  }
}

const sizeOf = (key: string, { body }: Entry): number => entryBytes + key.length + (body?.length ?? 0);
