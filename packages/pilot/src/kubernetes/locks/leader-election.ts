import { setTimeout as sleep } from "node:timers/promises";
import { ApiError, type GetOptions } from "@keelson/sources";
import { type Holder, type LeaderRecord, released, taken } from "./leader-record.ts";
import type { LockStore, StoredLock } from "./lock-store.ts";

/** In ms. */
export interface ElectionTiming {
  /** A lock that was not renewed for so long may be taken by others. */
  readonly leaseMs: number;
  /** A holder that could not renew its lock for so long, after the next time was due, stops its work. */
  readonly renewMs: number;
  /** Between two renewals, and at least between two looks at a lock that others hold. */
  readonly retryMs: number;
  /** Until one looks again at a lock that one may not write. */
  readonly refusedMs: number;
}

/** Those of istiod. The work of one that lost its lock has `leaseMs - renewMs - retryMs` to come to its end. */
const istiodTiming: ElectionTiming = {
  leaseMs: 30_000,
  renewMs: 15_000,
  retryMs: 7_500,
  refusedMs: 60_000,
};

/** Looks at a lock are up to this part further apart, so that replicas do not look together (as Kubernetes' own elections). */
const jitter = 1.2;

export type ElectionEvent =
  | { readonly kind: "leading" | "lost" | "released" }
  /** The lock may not be read or written. */
  | { readonly kind: "refused"; readonly why: string }
  | { readonly kind: "failed"; readonly error: Error };

export interface ElectionOptions {
  readonly lock: LockStore;
  /** Of this replica; no other one has it. */
  readonly identity: string;
  /** By which others decide whether they go first; empty: nobody does. */
  readonly key: string;
  /** Whether a holder with this key gives way to us. */
  readonly outranks: (holderKey: string) => boolean;
  readonly timing?: Partial<ElectionTiming>;
  readonly onEvent: (event: ElectionEvent) => void;
}

/** Lets one of several replicas do a work at a time, by a lock that it renews. */
export class LeaderElection {
  private readonly options: ElectionOptions;
  private readonly timing: ElectionTiming;
  private readonly holder: Holder;
  /** What the lock said when it last changed, and when that was seen, by performance.now. */
  private seen: { readonly text: string; readonly at: number } | undefined;

  constructor(options: ElectionOptions) {
    this.options = options;
    this.timing = { ...istiodTiming, ...options.timing };
    const { identity, key } = options;
    this.holder = { identity, key, leaseMs: this.timing.leaseMs };
  }

  /**
   * Takes the lock whenever it can be had, and gives it back at the end.
   * @param work done while the lock is held; it must end soon after its signal says so, and is begun anew with the next term
   * @param stop ends it
   */
  async run(work: (signal: AbortSignal) => Promise<void>, stop: AbortSignal): Promise<void> {
    const { retryMs, refusedMs } = this.timing;
    while (!stop.aborted) {
      const since = performance.now();
      const outcome = await this.attempt(() => this.take(this.request(stop)));
      if (outcome === "held") await this.lead(work, since, stop);
      const least = outcome === "refused" ? refusedMs : retryMs;
      await wait(least * (1 + Math.random() * jitter), stop);
    }
  }

  /** @param since when the request that took the lock was begun */
  private async lead(
    work: (signal: AbortSignal) => Promise<void>,
    since: number,
    stop: AbortSignal,
  ): Promise<void> {
    const { onEvent } = this.options;
    const term = new AbortController();
    onEvent({ kind: "leading" });
    const working = work(term.signal).catch((error: Error) => onEvent({ kind: "failed", error }));
    await Promise.race([this.keep(since, AbortSignal.any([stop, term.signal])), working]);
    term.abort();
    await working;
    await this.release();
  }

  /** Renews the lock until that fails for too long, or it is another's, or it is told to stop. */
  private async keep(since: number, stop: AbortSignal): Promise<void> {
    const { retryMs, renewMs } = this.timing;
    let until = since + retryMs + renewMs;
    await wait(retryMs, stop);
    while (!stop.aborted) {
      const begin = performance.now();
      if (begin >= until) return;
      const deadline = AbortSignal.timeout(Math.ceil(until - begin));
      const outcome = await this.attempt(() => this.renew(this.request(AbortSignal.any([stop, deadline]))));
      if (outcome === "others") return;
      if (outcome === "held") until = begin + retryMs + renewMs;
      const left = until - performance.now();
      await wait(outcome === "held" ? retryMs : Math.min(retryMs / 4, Math.max(left, 0)), stop);
    }
  }

  /** Takes the lock, if nobody has it who may keep it. */
  private async take(options: GetOptions): Promise<Outcome> {
    const stored = await this.options.lock.read(options);
    if (stored !== undefined && !this.mayTake(stored.record)) return "others";
    return this.write(stored, options);
  }

  private async renew(options: GetOptions): Promise<Outcome> {
    const stored = await this.options.lock.read(options);
    // A lock that somebody has deleted is made again.
    if (stored !== undefined && stored.record.holderIdentity !== this.options.identity) return "others";
    return this.write(stored, options);
  }

  private async write(stored: StoredLock | undefined, options: GetOptions): Promise<Outcome> {
    const { lock } = this.options;
    const record = taken(stored?.record, this.holder);
    await (stored === undefined ? lock.create(record, options) : lock.update(stored, record, options));
    return "held";
  }

  /** Whether the holder is gone: clocks of other machines are not believed, only how long nothing changed. */
  private mayTake(record: LeaderRecord): boolean {
    const text = JSON.stringify(record);
    const now = performance.now();
    if (this.seen?.text !== text) this.seen = { text, at: now };
    const { holderIdentity, holderKey } = record;
    if (holderIdentity === "" || holderIdentity === this.options.identity) return true;
    return now >= this.seen.at + this.timing.leaseMs || this.options.outranks(holderKey);
  }

  /** Gives the lock back, so that others need not wait; not if it is another's already. */
  private async release(): Promise<void> {
    const { lock, identity, onEvent } = this.options;
    const outcome = await this.attempt(async () => {
      const options = this.request(AbortSignal.timeout(this.timing.retryMs));
      const stored = await lock.read(options);
      if (stored?.record.holderIdentity !== identity) return "others";
      await lock.update(stored, released(stored.record), options);
      return "held";
    });
    onEvent({ kind: outcome === "held" ? "released" : "lost" });
  }

  private async attempt(call: () => Promise<Outcome>): Promise<Outcome | "failed" | "refused"> {
    try {
      return await call();
    } catch (error) {
      const status = error instanceof ApiError ? error.status : 0;
      // Another one was faster, or we are being stopped.
      if (status === 409 || (error as Error).name === "AbortError") return "failed";
      if (status === 403) {
        this.options.onEvent({ kind: "refused", why: (error as Error).message });
        return "refused";
      }
      this.options.onEvent({ kind: "failed", error: error as Error });
      return "failed";
    }
  }

  private request(signal: AbortSignal): GetOptions {
    return { signal, idleMs: this.timing.retryMs };
  }
}

/** Whether the lock is ours, or another's. */
type Outcome = "held" | "others";

async function wait(ms: number, stop: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal: stop }).catch(() => undefined);
}
