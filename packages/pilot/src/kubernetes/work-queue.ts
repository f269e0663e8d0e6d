import { EventEmitter, once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { Backoff } from "@keelson/sources";

/** In ms. */
export interface WorkTiming {
  /** Ceilings of the first and of the longest wait of a key that failed. */
  readonly backoffMs: number;
  readonly maximumBackoffMs: number;
  /** How long nothing is tried after a refusal. */
  readonly refusedMs: number;
}

const defaultWorkTiming: WorkTiming = {
  backoffMs: 200,
  maximumBackoffMs: 60_000,
  refusedMs: 60_000,
};

/** What became of the work on a key: it is left alone, it is tried again later, or everything waits. */
export type WorkOutcome = "done" | "again" | "refused";

/** Works on keys, one at a time and in the order in which they came; one that comes several times meanwhile is worked on once. */
export class WorkQueue {
  private readonly timing: WorkTiming;
  private readonly waiting = new Set<string>();
  private readonly failures = new Map<string, Backoff>();
  private readonly events = new EventEmitter();

  constructor(timing: Partial<WorkTiming> = {}) {
    this.timing = { ...defaultWorkTiming, ...timing };
  }

  add(key: string): void {
    this.waiting.add(key);
    this.events.emit("added");
  }

  /** @param work should not throw; it looks at what is wanted by itself @param stop ends it */
  async run(work: (key: string) => Promise<WorkOutcome>, stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const [key] = this.waiting;
      if (key === undefined) await once(this.events, "added", { signal: stop }).catch(() => undefined);
      else await this.workOn(key, work, stop);
    }
  }

  private async workOn(
    key: string,
    work: (key: string) => Promise<WorkOutcome>,
    stop: AbortSignal,
  ): Promise<void> {
    this.waiting.delete(key);
    const outcome = await work(key);
    if (outcome === "done") {
      this.failures.delete(key);
    } else if (outcome === "refused") {
      this.waiting.add(key);
      await wait(this.timing.refusedMs * (1 + Math.random()), stop);
    } else {
      const { backoffMs: firstMs, maximumBackoffMs: mostMs } = this.timing;
      const backoff = this.failures.get(key) ?? new Backoff({ firstMs, mostMs });
      this.failures.set(key, backoff);
      void wait(backoff.next(), stop).then(() => (stop.aborted ? undefined : this.add(key)));
    }
  }
}

async function wait(ms: number, stop: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal: stop }).catch(() => undefined);
}
