import type { FastifyInstance } from "fastify";
import type { Logger } from "pino";
import { Counter, type Registry } from "prom-client";
import { addReviews } from "./add-reviews.ts";
import { injectNothing } from "./inject.ts";

/** A deployment that is scaled up asks for all of its pods at once. */
const mostAtOnce = 64;

/** Namespaces that are remembered: anybody may name one. */
const mostNamespaces = 1_000;

/** What became of pods, under istiod's names. */
export class InjectionMetrics {
  readonly requests: Counter;
  readonly skipped: Counter;

  constructor(registry: Registry) {
    const registers = [registry];
    this.requests = new Counter({
      name: "sidecar_injection_requests_total",
      help: "Pods that were asked about.",
      registers,
    });
    this.skipped = new Counter({
      name: "sidecar_injection_skip_total",
      help: "Pods that were let through without a sidecar: all of them.",
      registers,
    });
  }
}

/** POST /inject and below, where istiod has pairs for the sidecar's environment: what is asked before a pod is made. */
export function addInjection(
  server: FastifyInstance,
  metrics: InjectionMetrics,
  log: Pick<Logger, "warn">,
): void {
  const told = new Set<string>();
  addReviews(server, { paths: ["/inject", "/inject/*"], mostAtOnce }, (request) => {
    metrics.requests.inc();
    metrics.skipped.inc();
    const admission = injectNothing(request);
    const { namespace } = request;
    if (admission.warnings.length > 0 && !told.has(namespace) && told.size < mostNamespaces) {
      told.add(namespace);
      log.warn(
        { namespace },
        "pods of a namespace that asks for sidecars are made without: none are injected",
      );
    }
    return admission;
  });
}
