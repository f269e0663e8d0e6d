import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  ClientTls_Mode,
  type ClientTlsSchema,
  type ConnectionPool,
  ConnectionPool_H2Upgrade,
  ConnectionPoolSchema,
  type ConsistentHashSchema,
  LoadBalancer_Simple,
  type LoadBalancerSchema,
  type OutlierDetectionSchema,
  type TrafficPolicy,
  TrafficPolicySchema,
} from "@keelson/protos/traffic-policy";
import { durationMs } from "../kinds/fields.ts";
import type {
  WrittenClientTls,
  WrittenConnectionPool,
  WrittenPortPolicy,
  WrittenTrafficPolicy,
} from "../kinds/traffic-policy.ts";
import { sortedEntries } from "./string-match.ts";

type Parts = Pick<WrittenPortPolicy, "loadBalancer" | "connectionPool" | "outlierDetection" | "tls">;

/** What is said for a host or a subset, without its ports. @returns undefined if nothing is said */
export function trafficPolicy(written: WrittenTrafficPolicy | undefined): TrafficPolicy | undefined {
  if (written === undefined) return undefined;
  const { portLevelSettings: _, proxyProtocol, ...parts } = written;
  if (Object.keys(parts).length === 0 && proxyProtocol === undefined) return undefined;
  const version = proxyProtocol === undefined ? 0 : proxyProtocol.version === "V2" ? 2 : 1;
  return create(TrafficPolicySchema, { ...partsOf(parts), proxyProtocol: version });
}

/** By port, in the order of the ports. */
export function portPolicies(written: WrittenTrafficPolicy | undefined): Record<number, TrafficPolicy> {
  return Object.fromEntries(
    (written?.portLevelSettings ?? []).map(({ port, ...parts }) => [
      port.number,
      create(TrafficPolicySchema, partsOf(parts)),
    ]),
  );
}

function partsOf({ loadBalancer, connectionPool, outlierDetection, tls }: Parts) {
  return {
    ...(loadBalancer && { loadBalancer: loadBalancerOf(loadBalancer) }),
    ...(connectionPool && { connectionPool: connectionPoolOf(connectionPool) }),
    ...(outlierDetection && { outlierDetection: outlierDetectionOf(outlierDetection) }),
    ...(tls && { tls: clientTlsOf(tls) }),
  };
}

const simple = {
  UNSPECIFIED: LoadBalancer_Simple.UNSPECIFIED,
  // Its old name.
  LEAST_CONN: LoadBalancer_Simple.LEAST_REQUEST,
  LEAST_REQUEST: LoadBalancer_Simple.LEAST_REQUEST,
  RANDOM: LoadBalancer_Simple.RANDOM,
  PASSTHROUGH: LoadBalancer_Simple.PASSTHROUGH,
  ROUND_ROBIN: LoadBalancer_Simple.ROUND_ROBIN,
} as const;

function loadBalancerOf(
  written: NonNullable<Parts["loadBalancer"]>,
): MessageInitShape<typeof LoadBalancerSchema> {
  const { consistentHash, localityLbSetting: locality, warmup, warmupDurationSecs } = written;
  return {
    simple: simple[written.simple ?? "UNSPECIFIED"],
    ...(consistentHash && { consistentHash: consistentHashOf(consistentHash) }),
    ...(locality && {
      locality: {
        ...(locality.enabled !== undefined && { enabled: locality.enabled }),
        distribute: locality.distribute.map(({ from, to }) => ({
          from,
          to: Object.fromEntries(sortedEntries(to)),
        })),
        failover: locality.failover,
        failoverPriority: locality.failoverPriority,
      },
    }),
    warmupMs: durationMs(warmup?.duration ?? warmupDurationSecs ?? "0s"),
  };
}

type WrittenHash = NonNullable<NonNullable<Parts["loadBalancer"]>["consistentHash"]>;

function consistentHashOf(written: WrittenHash): MessageInitShape<typeof ConsistentHashSchema> {
  return {
    key: hashKeyOf(written),
    minimumRingSize: BigInt(written.ringHash?.minimumRingSize ?? written.minimumRingSize ?? 0),
    maglevTableSize: BigInt(written.maglev?.tableSize ?? 0),
  };
}

function hashKeyOf({
  httpHeaderName,
  httpCookie,
  useSourceIp,
  httpQueryParameterName,
}: WrittenHash): NonNullable<MessageInitShape<typeof ConsistentHashSchema>["key"]> {
  if (httpHeaderName !== undefined) return { case: "httpHeaderName", value: httpHeaderName };
  if (httpQueryParameterName !== undefined) {
    return { case: "httpQueryParameterName", value: httpQueryParameterName };
  }
  if (useSourceIp) return { case: "useSourceIp", value: true };
  if (httpCookie === undefined) return { case: undefined };
  const { name, path = "", ttl } = httpCookie;
  return { case: "httpCookie", value: { name, path, ...(ttl !== undefined && { ttlMs: durationMs(ttl) }) } };
}

const h2Upgrade = {
  DEFAULT: ConnectionPool_H2Upgrade.UNSPECIFIED,
  DO_NOT_UPGRADE: ConnectionPool_H2Upgrade.DO_NOT_UPGRADE,
  UPGRADE: ConnectionPool_H2Upgrade.UPGRADE,
} as const;

const ms = (text: string | undefined): bigint => durationMs(text ?? "0s");

export function connectionPoolOf({ tcp = {}, http = {} }: WrittenConnectionPool): ConnectionPool {
  const { tcpKeepalive } = tcp;
  return create(ConnectionPoolSchema, {
    maxConnections: tcp.maxConnections ?? 0,
    connectTimeoutMs: ms(tcp.connectTimeout),
    ...(tcpKeepalive && {
      tcpKeepalive: {
        probes: tcpKeepalive.probes ?? 0,
        timeMs: ms(tcpKeepalive.time),
        intervalMs: ms(tcpKeepalive.interval),
      },
    }),
    maxConnectionDurationMs: ms(tcp.maxConnectionDuration),
    tcpIdleTimeoutMs: ms(tcp.idleTimeout),
    http1MaxPendingRequests: http.http1MaxPendingRequests ?? 0,
    http2MaxRequests: http.http2MaxRequests ?? 0,
    maxRequestsPerConnection: http.maxRequestsPerConnection ?? 0,
    maxRetries: http.maxRetries ?? 0,
    httpIdleTimeoutMs: ms(http.idleTimeout),
    h2Upgrade: h2Upgrade[http.h2UpgradePolicy ?? "DEFAULT"],
    useClientProtocol: http.useClientProtocol ?? false,
    maxConcurrentStreams: http.maxConcurrentStreams ?? 0,
  });
}

function outlierDetectionOf(
  written: NonNullable<Parts["outlierDetection"]>,
): MessageInitShape<typeof OutlierDetectionSchema> {
  const gateway = written.consecutiveGatewayErrors;
  const localOrigin = written.consecutiveLocalOriginFailures;
  const errors = written.consecutive5xxErrors;
  return {
    ...(gateway !== undefined && { consecutiveGatewayErrors: gateway }),
    ...(errors !== undefined && { consecutive5xxErrors: errors }),
    splitExternalLocalOriginErrors: written.splitExternalLocalOriginErrors ?? false,
    ...(localOrigin !== undefined && { consecutiveLocalOriginFailures: localOrigin }),
    intervalMs: ms(written.interval),
    baseEjectionTimeMs: ms(written.baseEjectionTime),
    maxEjectionPercent: written.maxEjectionPercent ?? 0,
    minHealthPercent: written.minHealthPercent ?? 0,
  };
}

const tlsModes = {
  DISABLE: ClientTls_Mode.DISABLE,
  SIMPLE: ClientTls_Mode.SIMPLE,
  MUTUAL: ClientTls_Mode.MUTUAL,
  ISTIO_MUTUAL: ClientTls_Mode.ISTIO_MUTUAL,
} as const;

function clientTlsOf(written: WrittenClientTls): MessageInitShape<typeof ClientTlsSchema> {
  const { insecureSkipVerify } = written;
  return {
    mode: tlsModes[written.mode],
    clientCertificate: written.clientCertificate ?? "",
    privateKey: written.privateKey ?? "",
    caCertificates: written.caCertificates ?? "",
    credentialName: written.credentialName ?? "",
    subjectAltNames: written.subjectAltNames,
    sni: written.sni ?? "",
    ...(insecureSkipVerify !== undefined && { insecureSkipVerify }),
  };
}
