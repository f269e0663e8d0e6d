import { kinds } from "@keelson/model";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Counter, type Registry } from "prom-client";
import { type AdmissionRequest, admissionAnswer, admissionReview } from "./admission-review.ts";
import { validate } from "./validate.ts";

/** Kubernetes keeps objects of 1.5 MiB at most; a review may have two of them. */
const maximumReviewBytes = 4 * 1024 * 1024;

/** Reviews in work, of which an API server has few; anybody may send one. */
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
  let inWork = 0;
  const onRequest = async (_: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (inWork >= mostAtOnce) return reply.code(429).send({ error: `${inWork} reviews are in work` });
    inWork++;
    reply.raw.once("close", () => inWork--);
  };
  server.post("/validate", { bodyLimit: maximumReviewBytes, onRequest }, (request, reply) => {
    const { data: review } = admissionReview.safeParse(request.body);
    if (review === undefined) return reply.code(400).send({ error: "the body is no AdmissionReview" });
    const admission = validate(review.request);
    metrics.count(review.request, admission.allowed);
    return reply.send(admissionAnswer(review, admission));
  });
}
