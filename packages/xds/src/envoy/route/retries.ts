import { create } from "@bufbuild/protobuf";
import {
  type RetryPolicy,
  RetryPolicySchema,
} from "@envoyproxy/xds-protos/envoy/config/route/v3/route_components_pb.js";
import { PreviousHostsPredicateSchema } from "@envoyproxy/xds-protos/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts_pb.js";
import { PreviousPrioritiesConfigSchema } from "@envoyproxy/xds-protos/envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config_pb.js";
import type { Retries } from "@keelson/protos/route";
import { duration, type Init, typedConfig } from "../wire.ts";

/** Istio's defaults: what surely did not reach the application is tried twice more, at another endpoint. */
const defaultAttempts = 2;
const defaultRetryOn = "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes";
const hostSelectionAttempts = 5n;
const inboundRetryOn = "reset-before-request";
const statusCodes = "retriable-status-codes";

const otherHosts: Init<typeof RetryPolicySchema> = {
  retryHostPredicate: [
    {
      name: "envoy.retry_host_predicates.previous_hosts",
      configType: typedConfig(PreviousHostsPredicateSchema),
    },
  ],
};

const otherPriorities: Init<typeof RetryPolicySchema> = {
  retryPriority: {
    name: "envoy.retry_priorities.previous_priorities",
    configType: typedConfig(PreviousPrioritiesConfigSchema, { updateFrequency: 2 }),
  },
};

/** "503,reset" → status codes beside the conditions, which must then name them. */
function parseRetryOn(text: string): {
  readonly retryOn: string;
  readonly retriableStatusCodes: number[];
} {
  const parts = text
    .split(",")
    .map((part) => part.trim())
    .filter(Boolean);
  const isCode = (part: string): boolean => /^[1-5]\d\d$/.test(part);
  const conditions = parts.filter((part) => !isCode(part));
  const retriableStatusCodes = parts.filter(isCode).map(Number);
  if (retriableStatusCodes.length > 0 && !conditions.includes(statusCodes)) conditions.push(statusCodes);
  return { retryOn: conditions.join(","), retriableStatusCodes };
}

/**
 * @param rule undefined: Istio's default. 0 attempts: none.
 * @param hashed requests of one key go to one endpoint, also when tried again.
 */
export function retryPolicy(rule: Retries | undefined, hashed: boolean): RetryPolicy | undefined {
  if (rule !== undefined && rule.attempts === 0) return undefined;
  const avoidsHosts = rule?.retryIgnorePreviousHosts ?? !hashed;
  return create(RetryPolicySchema, {
    numRetries: rule?.attempts ?? defaultAttempts,
    ...(rule !== undefined && rule.retryOn !== "" ? parseRetryOn(rule.retryOn) : { retryOn: defaultRetryOn }),
    hostSelectionRetryMaxAttempts: hostSelectionAttempts,
    ...(avoidsHosts && otherHosts),
    ...(rule?.retryRemoteLocalities === true && otherPriorities),
    ...(rule && rule.perTryTimeoutMs > 0n && { perTryTimeout: duration(rule.perTryTimeoutMs) }),
    ...(rule && rule.backoffMs > 0n && { retryBackOff: { baseInterval: duration(rule.backoffMs) } }),
  });
}

/** Only what the application never saw is tried again by its own sidecar. */
export const inboundRetryPolicy: RetryPolicy = create(RetryPolicySchema, {
  numRetries: defaultAttempts,
  retryOn: inboundRetryOn,
});
