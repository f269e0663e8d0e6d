import type { Service } from "@keelson/protos/policy";
import {
  ConnectionPool_H2Upgrade as H2Upgrade,
  type HostPolicy,
  type LoadBalancerSchema,
  LoadBalancer_Simple as Simple,
  ClientTls_Mode as TlsMode,
  type TrafficPolicySchema,
} from "@keelson/protos/traffic-policy";
import type { Init } from "../../wire.ts";
import { aHostPolicy } from "../builders.ts";
import type { RandomSource } from "./source.ts";
import { namespaces, versions } from "./world.ts";

type Policy = Init<typeof TrafficPolicySchema>;

function loadBalancer(random: RandomSource): Init<typeof LoadBalancerSchema> {
  const locality = random.maybe(0.3, () =>
    random.chance(0.5)
      ? { failover: [{ from: "east", to: "west" }] }
      : { distribute: [{ from: "east/*", to: { "east/*": 80, "west/*": 20 } }] },
  );
  const kind = random.next();
  if (kind < 0.2) return { consistentHash: { key: { case: "useSourceIp", value: true } } };
  if (kind < 0.4) {
    const ttlMs = random.pick([0n, 1000n]);
    return {
      consistentHash: {
        key: { case: "httpCookie", value: { name: "c", path: "/", ttlMs } },
        minimumRingSize: 64n,
      },
    };
  }
  if (kind < 0.5) {
    return { consistentHash: { key: { case: "httpHeaderName", value: "x-user" }, maglevTableSize: 101n } };
  }
  const simple = random.pick([
    Simple.UNSPECIFIED,
    Simple.LEAST_REQUEST,
    Simple.RANDOM,
    Simple.PASSTHROUGH,
    Simple.ROUND_ROBIN,
  ]);
  return { simple, warmupMs: random.pick([0n, 30_000n]), ...(locality && { locality }) };
}

/** @param tls whether hosts may demand TLS, for which a proxy must get certificates. */
function trafficPolicy(random: RandomSource, tls: boolean): Policy {
  const balancer = random.maybe(0.6, () => loadBalancer(random));
  const pool = random.maybe(0.5, () => ({
    maxConnections: random.pick([0, 100]),
    connectTimeoutMs: random.pick([0n, 500n]),
    tcpIdleTimeoutMs: random.pick([0n, 60_000n]),
    http1MaxPendingRequests: random.pick([0, 10]),
    maxRequestsPerConnection: random.pick([0, 1]),
    maxRetries: random.pick([0, 5]),
    h2Upgrade: random.pick([H2Upgrade.UNSPECIFIED, H2Upgrade.UPGRADE, H2Upgrade.DO_NOT_UPGRADE]),
    useClientProtocol: random.chance(0.1),
    maxConcurrentStreams: random.pick([0, 7]),
    ...(random.chance(0.3) && { tcpKeepalive: { probes: 3, timeMs: 10_000n, intervalMs: 1000n } }),
  }));
  const outliers = random.maybe(0.4, () => ({
    consecutive5xxErrors: random.integer(0, 7),
    consecutiveGatewayErrors: random.integer(0, 7),
    intervalMs: random.pick([0n, 1000n]),
    baseEjectionTimeMs: random.pick([0n, 30_000n]),
    maxEjectionPercent: random.pick([0, 100]),
    minHealthPercent: random.pick([0, 50]),
    splitExternalLocalOriginErrors: random.chance(0.3),
    consecutiveLocalOriginFailures: 2,
  }));
  const mode = random.pick([TlsMode.DISABLE, TlsMode.SIMPLE, TlsMode.MUTUAL, TlsMode.ISTIO_MUTUAL]);
  const encryption = random.maybe(tls ? 0.4 : 0, () => ({
    mode,
    credentialName: random.pick(["", "credential"]),
    clientCertificate: "/etc/certs/cert.pem",
    privateKey: "/etc/certs/key.pem",
    subjectAltNames: random.some(["a.example.com", "spiffe://cluster.local/ns/default/sa/a"]),
    sni: random.pick(["", "a.example.com"]),
  }));
  return {
    ...(balancer && { loadBalancer: balancer }),
    ...(pool && { connectionPool: pool }),
    ...(outliers && { outlierDetection: outliers }),
    ...(encryption && { tls: encryption }),
    proxyProtocol: random.pick([0, 0, 0, 1, 2]),
  };
}

export function randomHostPolicies(
  random: RandomSource,
  services: readonly Service[],
  tls: boolean,
): HostPolicy[] {
  const hosts = [...services.map(({ hostname }) => hostname), "*.svc.cluster.local", "*.example.com"];
  return random.some(hosts, 0.4).map((hostname, i) => {
    const namespace = random.pick([...namespaces, "istio-system"]);
    return aHostPolicy(`DestinationRule/${namespace}/policy-${i}`, {
      hostname,
      callerLabels: random.chance(0.1) ? { version: random.pick(versions) } : {},
      ...(random.chance(0.8) && { policy: trafficPolicy(random, tls) }),
      portPolicies: random.chance(0.2) ? { 80: trafficPolicy(random, tls) } : {},
      subsets: random.some(versions, 0.6).map((version) => ({
        name: version,
        labels: { version },
        ...(random.chance(0.5) && { policy: trafficPolicy(random, tls) }),
      })),
    });
  });
}
