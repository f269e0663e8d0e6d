/** When changes are taken up. */
export interface Debounce {
  /** After so many ms without a change … */
  readonly quietMs: number;
  /** … and at the latest so many ms after the first that waits. */
  readonly maxMs: number;
}

/** Calls back once for many changes that come in quick succession. */
export class Debouncer {
  private readonly debounce: Debounce;
  private readonly onReady: () => void;
  /** When the first change came that waits, in ms by the monotonic clock. */
  private since: number | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(debounce: Debounce, onReady: () => void) {
    this.debounce = debounce;
    this.onReady = onReady;
  }

  /** There is a change. */
  touch(): void {
    const now = performance.now();
    this.since ??= now;
    const left = this.since + this.debounce.maxMs - now;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), Math.max(0, Math.min(this.debounce.quietMs, left)));
  }

  /** Whatever waits is taken up now, and what does not wait as well. */
  flush(): void {
    this.cancel();
    this.onReady();
  }

  cancel(): void {
    clearTimeout(this.timer);
    this.since = undefined;
  }
}
