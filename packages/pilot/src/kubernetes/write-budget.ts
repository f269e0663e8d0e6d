import { setTimeout as sleep } from "node:timers/promises";

export interface WriteRate {
  /** Writes a second in the long run (--kubernetesApiQPS). */
  readonly perSecond: number;
  /** At once, after a pause (--kubernetesApiBurst). */
  readonly burst: number;
}

/** Bounds how often something is written: a bucket of `burst` tokens, filled by `perSecond`. */
export class WriteBudget {
  private readonly rate: WriteRate;
  private tokens: number;
  private filledAt: number;

  /** @param now as performance.now says it */
  constructor(rate: WriteRate, now = performance.now()) {
    this.rate = rate;
    this.tokens = rate.burst;
    this.filledAt = now;
  }

  /** Waits for one write's turn. @param stop ends the wait early */
  async take(stop: AbortSignal): Promise<void> {
    const ms = this.next(performance.now());
    if (ms > 0) await sleep(ms, undefined, { signal: stop }).catch(() => undefined);
  }

  /** Counts one more write. @returns how long it has to wait, in ms */
  next(now: number): number {
    const { perSecond, burst } = this.rate;
    const filled = this.tokens + ((now - this.filledAt) / 1000) * perSecond;
    this.tokens = Math.min(burst, filled) - 1;
    this.filledAt = now;
    return Math.max(0, (-this.tokens / perSecond) * 1000);
  }
}
