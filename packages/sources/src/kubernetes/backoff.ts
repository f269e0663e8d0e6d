export interface BackoffOptions {
  /** Ceiling of the first wait, in ms. */
  readonly firstMs: number;
  /** No wait is longer, in ms. */
  readonly mostMs: number;
  /** Uniform in [0, 1); default: Math.random. */
  readonly random?: () => number;
}

/**
 * How long to wait before the next try: anything from nothing to a ceiling that doubles with each failure ("full
 * jitter"), so that those who lost the same server do not come back to it together.
 */
export class Backoff {
  private readonly options: BackoffOptions;
  private failures = 0;

  constructor(options: BackoffOptions) {
    this.options = options;
  }

  /** In ms; counts one more failure. */
  next(): number {
    const { firstMs, mostMs, random = Math.random } = this.options;
    // 2 ** 30 is beyond any ceiling, and still no Infinity.
    const ceiling = Math.min(mostMs, firstMs * 2 ** Math.min(this.failures, 30));
    this.failures++;
    return random() * ceiling;
  }

  /** Something worked. */
  reset(): void {
    this.failures = 0;
  }
}
