import type { ConnectionPool } from "@keelson/protos/traffic-policy";
import { longestTimeMs } from "../longest-time.ts";
import type { Limits } from "../types.ts";

/** meshConfig.connectTimeout as Istio has it. */
const defaultConnectTimeoutMs = 10_000;
/** Envoy's. */
const defaultIdleTimeoutMs = 3_600_000;

const orNone = (limit: number): number => limit || Number.POSITIVE_INFINITY;

/** Without a rule a mesh limits nothing: pods come and go, and Envoy's own limits would be too low (Istio). */
export function limitsOf(pool: ConnectionPool | undefined): Limits {
  return {
    connections: orNone(pool?.maxConnections ?? 0),
    pendingRequests: orNone(pool?.http1MaxPendingRequests ?? 0),
    requests: orNone(pool?.http2MaxRequests ?? 0),
    retries: orNone(pool?.maxRetries ?? 0),
    requestsPerConnection: orNone(pool?.maxRequestsPerConnection ?? 0),
    streamsPerConnection: orNone(pool?.maxConcurrentStreams ?? 0),
    connectTimeoutMs: Math.min(
      Number(pool?.connectTimeoutMs ?? 0n) || defaultConnectTimeoutMs,
      longestTimeMs,
    ),
    idleTimeoutMs: Number(pool?.httpIdleTimeoutMs || pool?.tcpIdleTimeoutMs || 0n) || defaultIdleTimeoutMs,
    // Without a rule bytes have none, where Envoy's have an hour: no more is closed than without a relay.
    bytesIdleTimeoutMs: orNone(Number(pool?.tcpIdleTimeoutMs ?? 0n)),
    connectionDurationMs: orNone(Number(pool?.maxConnectionDurationMs ?? 0n)),
  };
}
