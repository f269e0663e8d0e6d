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
  private filledAt = performance.now();

  constructor(rate: WriteRate) {
    this.rate = rate;
    this.tokens = rate.burst;
  }

  /** Waits for one write's turn. @param stop ends the wait early */
  async take(stop: AbortSignal): Promise<void> {
    const { perSecond, burst } = this.rate;
    const now = performance.now();
    this.tokens = Math.min(burst, this.tokens + ((now - this.filledAt) / 1000) * perSecond) - 1;
    this.filledAt = now;
    if (this.tokens >= 0) return;
    const ms = (-this.tokens / perSecond) * 1000;
    await sleep(ms, undefined, { signal: stop }).catch(() => undefined);
  }
}
