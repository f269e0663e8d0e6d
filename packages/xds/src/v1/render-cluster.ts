import type { LegacyMesh } from "@keelson/protos/proxy";
import {
  type ConnectionPool,
  type OutlierDetection,
  LoadBalancer_Simple as Simple,
  type TrafficPolicy,
} from "@keelson/protos/traffic-policy";
import type { ClusterPlan } from "./clusters.ts";
import { optional } from "./go-json.ts";
import { clusterTls } from "./tls.ts";

const balancers: Partial<Record<Simple, string>> = {
  [Simple.LEAST_REQUEST]: "least_request",
  [Simple.RANDOM]: "random",
  [Simple.PASSTHROUGH]: "original_dst_lb",
};

/** A cluster as JSON, its fields in Pilot's order. */
export function renderCluster(plan: ClusterPlan, policy: Partial<TrafficPolicy>, mesh: LegacyMesh): object {
  const { name, serviceName, type, hosts, http2 } = plan;
  const { loadBalancer, connectionPool, outlierDetection } = policy;
  const tls = tlsOf(plan, mesh);
  const chooses = type === "original_dst" ? "original_dst_lb" : undefined;
  return {
    name,
    ...optional("service_name", serviceName),
    connect_timeout_ms: Number(connectionPool?.connectTimeoutMs || mesh.connectTimeoutMs),
    type,
    lb_type: chooses ?? balancers[loadBalancer?.simple ?? Simple.UNSPECIFIED] ?? "round_robin",
    ...optional("max_requests_per_connection", connectionPool?.maxRequestsPerConnection),
    ...optional(
      "hosts",
      hosts.map((host) => ({ url: `tcp://${host}` })),
    ),
    ...(tls && { ssl_context: tls }),
    ...optional("features", http2 ? "http2" : ""),
    ...(connectionPool && { circuit_breakers: { default: limits(connectionPool) } }),
    ...(outlierDetection && { outlier_detection: ejection(outlierDetection) }),
  };
}

/** Hosts of EgressRules are dialled as they are: no mutual TLS there. */
function tlsOf({ originatesTls, target, type }: ClusterPlan, { mutualTls }: LegacyMesh): object | undefined {
  if (mutualTls && target?.inMesh === true && type !== "original_dst") return clusterTls(target.identities);
  return originatesTls ? {} : undefined;
}

const limits = (pool: ConnectionPool) => ({
  ...optional("max_connections", pool.maxConnections),
  ...optional("max_pending_requests", pool.http1MaxPendingRequests),
  ...optional("max_requests", pool.http2MaxRequests),
  ...optional("max_retries", pool.maxRetries),
});

/** Pilot lets a tenth of the endpoints go where a rule says nothing of that. */
const defaultMaxEjectionPercent = 10;

function ejection({
  consecutive5xxErrors,
  consecutiveGatewayErrors,
  intervalMs,
  baseEjectionTimeMs,
  maxEjectionPercent,
}: OutlierDetection) {
  return {
    ...optional("consecutive_5xx", consecutive5xxErrors ?? consecutiveGatewayErrors),
    ...optional("interval_ms", Number(intervalMs)),
    ...optional("base_ejection_time_ms", Number(baseEjectionTimeMs)),
    max_ejection_percent: maxEjectionPercent || defaultMaxEjectionPercent,
  };
}
