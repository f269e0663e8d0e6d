import { create } from "@bufbuild/protobuf";
import type { CircuitBreakersSchema } from "@envoyproxy/xds-protos/envoy/config/cluster/v3/circuit_breaker_pb.js";
import type {
  ClusterSchema,
  UpstreamConnectionOptionsSchema,
} from "@envoyproxy/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { type ConnectionPool, ConnectionPoolSchema, type TcpKeepalive } from "@keelson/protos/traffic-policy";
import { duration, type Init } from "../wire.ts";

/** Envoy's own limits (1024, 3 retries) are too low for a mesh, where pods come and go: Istio's default is none. */
const unlimited = 0xffff_ffff;

function thresholds(pool: ConnectionPool): Init<typeof CircuitBreakersSchema> {
  return {
    thresholds: [
      {
        maxConnections: pool.maxConnections || unlimited,
        maxPendingRequests: pool.http1MaxPendingRequests || unlimited,
        maxRequests: pool.http2MaxRequests || unlimited,
        maxRetries: pool.maxRetries || unlimited,
        trackRemaining: true,
      },
    ],
  };
}

function keepalive(settings: TcpKeepalive): Init<typeof UpstreamConnectionOptionsSchema> {
  return {
    tcpKeepalive: {
      ...(settings.probes !== 0 && { keepaliveProbes: settings.probes }),
      ...(settings.timeMs !== 0n && { keepaliveTime: Math.ceil(Number(settings.timeMs) / 1000) }),
      ...(settings.intervalMs !== 0n && { keepaliveInterval: Math.ceil(Number(settings.intervalMs) / 1000) }),
    },
  };
}

/** The fields of a cluster that limit and time its connections. */
export function connectionFields(
  pool: ConnectionPool = create(ConnectionPoolSchema),
  meshConnectTimeoutMs: bigint,
): Init<typeof ClusterSchema> {
  return {
    connectTimeout: duration(pool.connectTimeoutMs || meshConnectTimeoutMs),
    circuitBreakers: thresholds(pool),
    ...(pool.tcpKeepalive && { upstreamConnectionOptions: keepalive(pool.tcpKeepalive) }),
  };
}
