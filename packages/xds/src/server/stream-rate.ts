/** Spaces out new streams, so that a crowd that comes at once is served one after the other. */
export class StreamRate {
  private readonly spacingMs: number;
  private readonly patienceMs: number;
  /** When the next stream may be opened, in ms by the monotonic clock. */
  private next = 0;

  /**
   * @param perSecond Infinity: no limit
   * @param patienceMs longest time that a stream is made to wait
   */
  constructor(perSecond: number, patienceMs: number) {
    this.spacingMs = 1_000 / perSecond;
    this.patienceMs = patienceMs;
  }

  /** @returns how long a stream that comes now waits for its turn, in ms; undefined: too long, so that it has none. */
  turn(): number | undefined {
    const now = performance.now();
    const start = Math.max(now, this.next);
    if (start - now > this.patienceMs) return undefined;
    this.next = start + this.spacingMs;
    return start - now;
  }
}
