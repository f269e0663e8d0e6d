/** Waits that double from `firstMs` to `lastMs`, each cut by up to half at random so that many clients spread out. */
export class Backoff {
  private readonly firstMs: number;
  private readonly lastMs: number;
  private readonly random: () => number;
  private failures = 0;

  constructor(firstMs: number, lastMs: number, random: () => number = Math.random) {
    this.firstMs = firstMs;
    this.lastMs = lastMs;
    this.random = random;
  }

  /** The next wait, in ms. */
  next(): number {
    const full = Math.min(this.lastMs, this.firstMs * 2 ** this.failures);
    this.failures += 1;
    return full * (1 - this.random() / 2);
  }

  reset(): void {
    this.failures = 0;
  }
}
