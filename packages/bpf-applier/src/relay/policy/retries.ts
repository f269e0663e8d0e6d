import type { Retries } from "@keelson/protos/route";
import { grpcStatusKey } from "./grpc-status.ts";
import { headerOf } from "./header-changes.ts";
import type { Outcome, RetryPlan } from "./types.ts";

/** Istio's defaults: what surely did not reach the application is tried twice more, at another endpoint. */
const defaultRetries = 2;
const defaultConditions = "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes";
/** Envoy's. */
const defaultBackoffMs = 25;
const largestBackoff = 10;

const parts = (text: string): string[] =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter(Boolean);
const isCode = (part: string): boolean => /^[1-5]\d\d$/.test(part);

/**
 * @param rule undefined: Istio's default
 * @param hashed requests of one key go to one endpoint, also when tried again
 * @param limitMs of the request, by the rule; 0: none
 * @returns undefined: none
 */
export function retryPlan(
  rule: Retries | undefined,
  hashed: boolean,
  limitMs: number,
): RetryPlan | undefined {
  if (rule?.attempts === 0) return undefined;
  const given = parts(rule?.retryOn || defaultConditions);
  const perTry = Number(rule?.perTryTimeoutMs ?? 0n);
  const codes = given.filter(isCode).map(Number);
  return {
    retries: rule?.attempts ?? defaultRetries,
    // Envoy: a limit of an attempt that is no shorter than that of the request does not count.
    perTryTimeoutMs: limitMs > 0 && perTry >= limitMs ? 0 : perTry,
    conditions: new Set([...given.filter((part) => !isCode(part)), ...(codes.length > 0 ? [ofCodes] : [])]),
    statusCodes: new Set(codes),
    backoffMs: Number(rule?.backoffMs ?? 0n) || defaultBackoffMs,
    avoidsPrevious: rule?.retryIgnorePreviousHosts ?? !hashed,
  };
}

const ofCodes = "retriable-status-codes";
const gatewayErrors: ReadonlySet<number> = new Set([502, 503, 504]);

/** Whether an answer is one that a condition is for; conditions that look at gRPC's status are in the next table. */
const byStatus: Readonly<Record<string, (status: number, plan: RetryPlan) => boolean>> = {
  "5xx": (status) => status >= 500,
  "gateway-error": (status) => gatewayErrors.has(status),
  "retriable-4xx": (status) => status === 409,
  [ofCodes]: (status, { statusCodes }) => statusCodes.has(status),
};

/** Numbers of gRPC's statuses, looked at where they stand in the head of the answer. */
const byGrpcStatus: Readonly<Record<string, number>> = {
  cancelled: 1,
  "deadline-exceeded": 4,
  "resource-exhausted": 8,
  internal: 13,
  unavailable: 14,
};

/** Which failures each condition is for; no answer at all counts as a 5xx, as the caller would get one. */
const byFailure: Readonly<Record<Outcome["kind"], readonly string[]>> = {
  answer: [],
  connectFailure: ["5xx", "gateway-error", "reset", "connect-failure", "reset-before-request"],
  refusedStream: ["5xx", "gateway-error", "reset", "refused-stream"],
  reset: ["5xx", "gateway-error", "reset"],
  timeout: ["5xx", "gateway-error", "reset"],
  overflow: [],
  abandoned: [],
};

/**
 * Whether another attempt follows, by the conditions of Envoy's `retry_on` and `retry_grpc_on`
 * (https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter). The limit of the whole
 * request is not an attempt's failure; the caller of this function ends it.
 * @param done attempts after the first so far
 */
export function shouldRetry(plan: RetryPlan | undefined, done: number, outcome: Outcome): boolean {
  if (plan === undefined || done >= plan.retries) return false;
  if (outcome.kind === "answer") return asksForAnother(plan, outcome);
  const conditions = byFailure[outcome.kind];
  if (conditions.some((condition) => plan.conditions.has(condition))) return true;
  return outcome.kind === "reset" && !outcome.requestSent && plan.conditions.has("reset-before-request");
}

function asksForAnother(plan: RetryPlan, { status, rawHeaders }: Outcome & { kind: "answer" }): boolean {
  // Who limits its callers' rate is not to be asked again at once.
  if (headerOf(rawHeaders, "x-envoy-ratelimited") !== undefined)
    return plan.conditions.has("envoy-ratelimited");
  for (const condition of plan.conditions) if (byStatus[condition]?.(status, plan) === true) return true;
  const grpcStatus = headerOf(rawHeaders, grpcStatusKey);
  if (grpcStatus === undefined) return false;
  return Object.entries(byGrpcStatus).some(
    ([condition, number]) => `${number}` === grpcStatus && plan.conditions.has(condition),
  );
}

/**
 * The pause before the next attempt: anything up to a bound that doubles from the plan's base to ten times that, as
 * Envoy's fully jittered back-off.
 * @param done attempts after the first so far
 * @returns whole milliseconds
 */
export function backoffMs({ backoffMs: base }: RetryPlan, done: number, random: () => number): number {
  return Math.floor(random() * Math.min(base * 2 ** done, base * largestBackoff));
}
