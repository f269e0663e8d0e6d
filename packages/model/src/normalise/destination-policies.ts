import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { formatLabels } from "@keelson/protos";
import {
  HostPolicySchema,
  LoadBalancer_Simple,
  type TrafficPolicySchema,
} from "@keelson/protos/traffic-policy";
import type { SimpleCircuitBreaker } from "../kinds/destination-policy.ts";
import { durationMs } from "../kinds/fields.ts";
import type { DestinationPolicyObject } from "../kinds/index.ts";
import type { PolicySource } from "../model.ts";
import { istioServiceHostname } from "./hosts.ts";
import { sortedEntries } from "./string-match.ts";

const simple = {
  ROUND_ROBIN: LoadBalancer_Simple.ROUND_ROBIN,
  LEAST_CONN: LoadBalancer_Simple.LEAST_REQUEST,
  RANDOM: LoadBalancer_Simple.RANDOM,
} as const;

/** Share of hosts that may be ejected if a rule does not say (Pilot 0.2, proxy/envoy/policy.go). */
const defaultEjectionPercent = 10;

/**
 * A policy for endpoints with certain labels becomes that of a subset, which is named by them: in Istio 0.2 it is for
 * routes that ask for these very labels.
 * @param object passed checkDestinationPolicy
 */
export function normaliseDestinationPolicy(object: DestinationPolicyObject, domain: string): PolicySource {
  const { destination, source, loadBalancing, circuitBreaker } = object.body.spec;
  const { name, namespace } = object.metadata;
  const { labels = {} } = destination;
  const breaker = circuitBreaker?.simpleCb;
  const policy: MessageInitShape<typeof TrafficPolicySchema> = {
    ...(loadBalancing?.name && { loadBalancer: { simple: simple[loadBalancing.name] } }),
    ...(breaker && breakerParts(breaker)),
  };
  const subset = { name: formatLabels(labels), labels: Object.fromEntries(sortedEntries(labels)), policy };
  const message = create(HostPolicySchema, {
    name: `DestinationPolicy/${namespace}/${name}`,
    namespace,
    hostname: istioServiceHostname(destination, namespace, domain),
    callerHostname: source === undefined ? "" : istioServiceHostname(source, namespace, domain),
    callerLabels: Object.fromEntries(sortedEntries(source?.labels)),
    ...(Object.keys(labels).length === 0 ? { policy } : { subsets: [subset] }),
  });
  return { policy: message, object };
}

/** One circuit breaker of 0.2 is both of Envoy's: limits, and the ejection of hosts. */
function breakerParts(breaker: SimpleCircuitBreaker) {
  return {
    connectionPool: {
      maxConnections: breaker.maxConnections,
      http1MaxPendingRequests: breaker.httpMaxPendingRequests,
      http2MaxRequests: breaker.httpMaxRequests,
      maxRequestsPerConnection: breaker.httpMaxRequestsPerConnection,
    },
    outlierDetection: {
      ...(breaker.httpConsecutiveErrors > 0 && { consecutive5xxErrors: breaker.httpConsecutiveErrors }),
      intervalMs: durationMs(breaker.httpDetectionInterval),
      baseEjectionTimeMs: durationMs(breaker.sleepWindow),
      maxEjectionPercent: breaker.httpMaxEjectionPercent || defaultEjectionPercent,
    },
  };
}
