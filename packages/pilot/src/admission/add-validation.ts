import { kinds } from "@keelson/model";
import type { FastifyInstance } from "fastify";
import { Counter, type Registry } from "prom-client";
import { addReviews } from "./add-reviews.ts";
import type { AdmissionRequest } from "./admission-review.ts";
import { validate } from "./validate.ts";

/** An API server has few in work. */
const mostAtOnce = 16;

/** What became of reviews, under istiod's names. */
export class ValidationMetrics {
  private readonly passed: Counter<"group" | "resource">;
  private readonly failed: Counter<"group" | "resource" | "reason">;

  constructor(registry: Registry) {
    const registers = [registry];
    this.passed = new Counter({
      name: "galley_validation_passed",
      help: "Objects that were found to be valid.",
      labelNames: ["group", "resource"],
      registers,
    });
    this.failed = new Counter({
      name: "galley_validation_failed",
      help: "Objects that were refused.",
      labelNames: ["group", "resource", "reason"],
      registers,
    });
  }

  count({ kind: named }: AdmissionRequest, allowed: boolean): void {
    const known = kinds.find(({ kind, group }) => kind === named.kind && group === named.group);
    // Whoever asks must not make up series.
    const labels = { group: known?.group ?? "other", resource: known?.kind ?? "other" };
    if (allowed) this.passed.inc(labels);
    else this.failed.inc({ ...labels, reason: "invalid_resource" });
  }
}

/** POST /validate: what Kubernetes' API server asks before it takes a rule. */
export function addValidation(server: FastifyInstance, metrics: ValidationMetrics): void {
  addReviews(server, { paths: ["/validate"], mostAtOnce }, (request) => {
    const admission = validate(request);
    metrics.count(request, admission.allowed);
    return admission;
  });
}
