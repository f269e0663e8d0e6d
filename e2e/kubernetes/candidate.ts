import { once } from "node:events";
import { type ElectionEvent, LeaderElection, type LockStore } from "@keelson/pilot/kubernetes";
import { until } from "../world/until.ts";

/** Istiod's proportions, a twentieth of its times. */
const timing = { leaseMs: 1_500, renewMs: 750, retryMs: 375, refusedMs: 1_000 };

export interface Term {
  readonly who: string;
  /** By performance.now; undefined while it lasts. */
  begin: number;
  end: number | undefined;
}

export interface CandidateOptions {
  readonly lock: LockStore;
  readonly who: string;
  readonly key?: string;
  readonly outranks?: (holderKey: string) => boolean;
  /** Where its terms of office are written down. */
  readonly terms: Term[];
}

/** One that wants a lock, and writes down when it had it. */
export class Candidate {
  readonly events: ElectionEvent[] = [];
  private readonly options: CandidateOptions;
  private readonly stop = new AbortController();
  private readonly running: Promise<void>;

  constructor(options: CandidateOptions) {
    this.options = options;
    const { lock, who: identity, key = "default", outranks = () => false } = options;
    const election = new LeaderElection({
      lock,
      identity,
      key,
      outranks,
      timing,
      onEvent: (event) => this.events.push(event),
    });
    this.running = election.run((signal) => this.work(signal), this.stop.signal);
  }

  get leads(): boolean {
    const last = this.options.terms.findLast(({ who }) => who === this.options.who);
    return last !== undefined && last.end === undefined;
  }

  async untilItLeads(): Promise<void> {
    await until(() => this.leads, { what: `${this.options.who} to lead`, timeoutMs: 20_000 });
  }

  /** Gives the lock back, as at the end of the program. */
  async end(): Promise<void> {
    this.stop.abort();
    await this.running;
  }

  private async work(signal: AbortSignal): Promise<void> {
    const term: Term = { who: this.options.who, begin: performance.now(), end: undefined };
    this.options.terms.push(term);
    if (!signal.aborted) await once(signal, "abort");
    term.end = performance.now();
  }
}

/** Terms of which one began before the one before it had ended. */
export const overlaps = (terms: readonly Term[]): Term[] =>
  terms.filter(({ begin }, i) => {
    const before = terms[i - 1];
    return before !== undefined && (before.end ?? Infinity) > begin;
  });
