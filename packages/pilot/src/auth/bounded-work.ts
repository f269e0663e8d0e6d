/** What is done for callers: only so much at once, the rest in its order, and no more than may wait. */
export class BoundedWork {
  private readonly mostAtOnce: number;
  private readonly mostWaiting: number;
  private readonly waiting: (() => void)[] = [];
  private running = 0;

  constructor(mostAtOnce: number, mostWaiting: number) {
    this.mostAtOnce = mostAtOnce;
    this.mostWaiting = mostWaiting;
  }

  /** @throws Error if too many wait already, and whatever the work throws */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.running >= this.mostAtOnce) {
      if (this.waiting.length >= this.mostWaiting)
        throw new Error(`${this.waiting.length} others wait already`);
      // Who ends gives its place on, so that nobody comes between.
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    } else this.running++;
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.running--;
      else next();
    }
  }
}
