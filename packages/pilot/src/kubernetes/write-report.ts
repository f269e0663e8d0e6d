import { ApiError } from "@keelson/sources";
import type { Logger } from "pino";
import { Counter, Gauge, type Registry } from "prom-client";
import { type LimitedLog, limitedLog } from "../logging/limited-log.ts";
import type { ElectionEvent } from "./locks/leader-election.ts";

/** What became of a write: "conflict" where somebody else was faster, "refused" where the account may not. */
export type WriteOutcome = "written" | "conflict" | "refused" | "failed";

/** Counts what is written to Kubernetes, and says once what may not be. */
export class WriteReport {
  private readonly logger: Logger;
  private readonly failures: LimitedLog;
  private readonly refusals = new Map<string, string>();
  private readonly writes: Counter<"what" | "outcome">;
  private readonly refused: Gauge<"what">;
  private readonly leading: Gauge<"lock">;

  constructor(registry: Registry, logger: Logger) {
    this.logger = logger;
    this.failures = limitedLog(logger);
    const registers = [registry];
    this.writes = new Counter({
      name: "keelson_kubernetes_writes_total",
      help: "Writes to Kubernetes' API, by what is written and what became of it.",
      labelNames: ["what", "outcome"],
      registers,
    });
    this.refused = new Gauge({
      name: "keelson_kubernetes_refused",
      help: "1 for what the program's account may not read or write of that which it would write.",
      labelNames: ["what"],
      registers,
    });
    this.leading = new Gauge({
      name: "keelson_leader",
      help: "Whether this replica holds the lock.",
      labelNames: ["lock"],
      registers,
    });
  }

  /** @param what a fixed text: "ConfigMap istio-ca-root-cert" */
  written(what: string): void {
    this.writes.inc({ what, outcome: "written" });
    this.granted(what);
  }

  /** Of a write that failed. @returns what it was */
  failed(what: string, error: Error): WriteOutcome {
    const outcome = outcomeOf(error);
    this.writes.inc({ what, outcome });
    if (outcome === "refused") this.refusal(what, error.message);
    if (outcome === "failed") this.failures.warn({ what, why: error.message }, "cannot write to Kubernetes");
    return outcome;
  }

  /** What may not be read or written is said once; until it may. */
  refusal(what: string, why: string): void {
    this.refused.set({ what }, 1);
    if (this.refusals.has(what)) return;
    this.refusals.set(what, why);
    this.logger.warn({ what, why }, "the program's account may not do this, so it is left out");
  }

  granted(what: string): void {
    if (this.refusals.delete(what)) this.refused.set({ what }, 0);
  }

  /** @param lock its name */
  election(lock: string, event: ElectionEvent): void {
    const what = `lock ${lock}`;
    if (event.kind === "refused") return this.refusal(what, event.why);
    if (event.kind === "failed") {
      return this.failures.warn({ lock, why: event.error.message }, "cannot renew or take a lock");
    }
    this.granted(what);
    this.leading.set({ lock }, event.kind === "leading" ? 1 : 0);
    this.logger.info({ lock }, electionTexts[event.kind]);
  }
}

const electionTexts = {
  leading: "this replica leads",
  lost: "another replica may lead; the work of this one has ended",
  released: "this replica has given up its lock",
} as const;

function outcomeOf(error: Error): WriteOutcome {
  const status = error instanceof ApiError ? error.status : 0;
  if (status === 403) return "refused";
  return status === 409 ? "conflict" : "failed";
}
