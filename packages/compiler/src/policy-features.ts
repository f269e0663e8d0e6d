import {
  ClientTls_Mode,
  type ConnectionPool,
  ConnectionPool_H2Upgrade,
  type LoadBalancer,
  LoadBalancer_Simple,
  type TrafficPolicy,
} from "@keelson/protos/traffic-policy";
import type { TierName } from "./explanation.ts";

/** What a policy asks for that a tier does not do, in the words of a DestinationRule. */
export function idleFeatures(policy: TrafficPolicy, tier: TierName): string[] {
  const { loadBalancer, tls, proxyProtocol } = policy;
  const asked: [boolean, string][] = [
    ...idleAt[tier](policy),
    [loadBalancer?.locality !== undefined, "load balancing by locality"],
    [(loadBalancer?.warmupMs ?? 0n) > 0n, "warm-up of endpoints"],
    [tls !== undefined && tls.mode !== ClientTls_Mode.DISABLE, "TLS towards the host"],
    [proxyProtocol > 0, "PROXY protocol"],
  ];
  return asked.filter(([is]) => is).map(([, what]) => what);
}

function idleAtConnect({
  loadBalancer,
  connectionPool,
  outlierDetection,
}: TrafficPolicy): [boolean, string][] {
  const atRandom = [LoadBalancer_Simple.UNSPECIFIED, LoadBalancer_Simple.RANDOM];
  return [
    [
      !atRandom.includes(simpleOf(loadBalancer)),
      "the load balancer's algorithm (endpoints are drawn at random)",
    ],
    [loadBalancer?.consistentHash !== undefined, "consistent hashing (endpoints are drawn at random)"],
    [connectionPool !== undefined, "connection pool limits"],
    [outlierDetection !== undefined, "outlier detection"],
  ];
}

/** Programs balance requests as the relay does, and have no other say in connections to endpoints. */
function idleInKernel({
  loadBalancer,
  connectionPool,
  outlierDetection,
}: TrafficPolicy): [boolean, string][] {
  return [
    [simpleOf(loadBalancer) === LoadBalancer_Simple.PASSTHROUGH, "passing through to the dialled address"],
    [connectionPool !== undefined, "connection pool limits"],
    [outlierDetection !== undefined, "outlier detection"],
  ];
}

function idleAtRelay({ loadBalancer, connectionPool }: TrafficPolicy): [boolean, string][] {
  const settings = connectionPool === undefined ? [] : idleSettings(connectionPool);
  return [
    [simpleOf(loadBalancer) === LoadBalancer_Simple.PASSTHROUGH, "passing through to the dialled address"],
    [settings.length > 0, `of the connection pool: ${settings.join(", ")}`],
  ];
}

const idleAt: Record<TierName, (policy: TrafficPolicy) => [boolean, string][]> = {
  connect: idleAtConnect,
  kernel: idleInKernel,
  relay: idleAtRelay,
};

const simpleOf = (loadBalancer: LoadBalancer | undefined): LoadBalancer_Simple =>
  loadBalancer?.simple ?? LoadBalancer_Simple.UNSPECIFIED;

function idleSettings(pool: ConnectionPool): string[] {
  const asked: [boolean, string][] = [
    [pool.tcpKeepalive !== undefined, "tcpKeepalive"],
    [pool.h2Upgrade === ConnectionPool_H2Upgrade.UPGRADE, "h2UpgradePolicy"],
    [pool.useClientProtocol, "useClientProtocol"],
  ];
  return asked.filter(([is]) => is).map(([, name]) => name);
}
