import {
  Cluster_DiscoveryType as DiscoveryType,
  Cluster_LbPolicy as LbPolicy,
} from "@envoyproxy/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { HttpProtocolOptionsSchema } from "@envoyproxy/xds-protos/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";
import {
  ConnectionPool_H2Upgrade as H2Upgrade,
  type HostPolicySchema,
  LoadBalancer_Simple as Simple,
  type TrafficPolicySchema,
} from "@keelson/protos/traffic-policy";
import { expect, test } from "vitest";
import { httpOptionsKey } from "./cluster/http-options.ts";
import { bookinfo, reviews } from "./testing/bookinfo.ts";
import { aHostPolicy } from "./testing/builders.ts";
import { decoded, unpack } from "./testing/decoded.ts";
import { aProxy } from "./testing/proxies.ts";
import type { Init } from "./wire.ts";

const all = `outbound|9080||${reviews}`;
const v1 = `outbound|9080|v1|${reviews}`;

const rule = (init: Init<typeof HostPolicySchema>, name = "DestinationRule/default/reviews") =>
  aHostPolicy(name, { hostname: reviews, ...init });
const clusterWith = (policy: Init<typeof TrafficPolicySchema>) =>
  decoded({ ...bookinfo, hostPolicies: [rule({ policy })] }).cluster(all);

test("without a policy the least loaded endpoint is taken, nothing is limited", () => {
  const cluster = decoded(bookinfo).cluster(all);
  expect(cluster.lbPolicy).toBe(LbPolicy.LEAST_REQUEST);
  expect(cluster.connectTimeout).toMatchObject({ seconds: 10n });
  expect(cluster.circuitBreakers?.thresholds).toMatchObject([
    {
      maxConnections: 0xffff_ffff,
      maxPendingRequests: 0xffff_ffff,
      maxRequests: 0xffff_ffff,
      maxRetries: 0xffff_ffff,
      trackRemaining: true,
    },
  ]);
  expect(cluster.outlierDetection).toBeUndefined();
});

test.each([
  [Simple.LEAST_REQUEST, LbPolicy.LEAST_REQUEST],
  [Simple.RANDOM, LbPolicy.RANDOM],
  [Simple.ROUND_ROBIN, LbPolicy.ROUND_ROBIN],
])("load balancer %i is Envoy's %i", (simple, expected) => {
  expect(clusterWith({ loadBalancer: { simple } }).lbPolicy).toBe(expected);
});

test("PASSTHROUGH goes where the caller dialled", () => {
  const cluster = clusterWith({ loadBalancer: { simple: Simple.PASSTHROUGH } });
  expect(cluster.clusterDiscoveryType.value).toBe(DiscoveryType.ORIGINAL_DST);
  expect(cluster.lbPolicy).toBe(LbPolicy.CLUSTER_PROVIDED);
});

test("consistent hashing is a ring of 1024, or Maglev", () => {
  const key = { case: "useSourceIp", value: true } as const;
  const ring = clusterWith({ loadBalancer: { consistentHash: { key } } });
  expect(ring).toMatchObject({
    lbPolicy: LbPolicy.RING_HASH,
    lbConfig: { value: { minimumRingSize: 1024n } },
  });
  const maglev = clusterWith({ loadBalancer: { consistentHash: { key, maglevTableSize: 101n } } });
  expect(maglev).toMatchObject({ lbPolicy: LbPolicy.MAGLEV, lbConfig: { value: { tableSize: 101n } } });
});

test("new endpoints may be warmed up", () => {
  const { lbConfig } = clusterWith({ loadBalancer: { simple: Simple.ROUND_ROBIN, warmupMs: 30_000n } });
  expect(lbConfig).toMatchObject({
    case: "roundRobinLbConfig",
    value: { slowStartConfig: { slowStartWindow: { seconds: 30n } } },
  });
});

test("limits of the connection pool", () => {
  const cluster = clusterWith({
    connectionPool: {
      maxConnections: 1,
      http1MaxPendingRequests: 2,
      http2MaxRequests: 3,
      maxRetries: 4,
      maxRequestsPerConnection: 5,
      connectTimeoutMs: 1500n,
      httpIdleTimeoutMs: 60_000n,
      maxConnectionDurationMs: 120_000n,
      tcpKeepalive: { probes: 3, timeMs: 10_500n },
    },
  });
  expect(cluster.connectTimeout).toMatchObject({ seconds: 1n, nanos: 500_000_000 });
  expect(cluster.circuitBreakers?.thresholds[0]).toMatchObject({
    maxConnections: 1,
    maxPendingRequests: 2,
    maxRequests: 3,
    maxRetries: 4,
  });
  expect(cluster.upstreamConnectionOptions?.tcpKeepalive).toMatchObject({
    keepaliveProbes: 3,
    keepaliveTime: 11,
  });
  const options = unpack(HttpProtocolOptionsSchema, cluster.typedExtensionProtocolOptions[httpOptionsKey]);
  expect(options.commonHttpProtocolOptions).toMatchObject({
    idleTimeout: { seconds: 60n },
    maxConnectionDuration: { seconds: 120n },
    maxRequestsPerConnection: 5,
  });
});

test("connections may be upgraded to HTTP/2", () => {
  const cluster = clusterWith({ connectionPool: { h2Upgrade: H2Upgrade.UPGRADE, maxConcurrentStreams: 9 } });
  const options = unpack(HttpProtocolOptionsSchema, cluster.typedExtensionProtocolOptions[httpOptionsKey]);
  expect(options.upstreamProtocolOptions.value).toMatchObject({
    protocolConfig: { case: "http2ProtocolOptions", value: { maxConcurrentStreams: 9 } },
  });
});

test("outlier detection ejects by what the rule counts, never by success rate", () => {
  const cluster = clusterWith({
    outlierDetection: {
      consecutive5xxErrors: 3,
      consecutiveGatewayErrors: 0,
      intervalMs: 5000n,
      maxEjectionPercent: 100,
      minHealthPercent: 30,
    },
  });
  expect(cluster.outlierDetection).toMatchObject({
    consecutive5xx: 3,
    enforcingConsecutive5xx: 100,
    consecutiveGatewayFailure: 0,
    enforcingConsecutiveGatewayFailure: 0,
    enforcingSuccessRate: 0,
    interval: { seconds: 5n },
    maxEjectionPercent: 100,
  });
  expect(cluster.commonLbConfig?.healthyPanicThreshold?.value).toBe(30);
});

test("a subset has the host's policy but for what it says itself, and its own endpoints", () => {
  const policy = rule({
    policy: { loadBalancer: { simple: Simple.RANDOM }, connectionPool: { maxConnections: 5 } },
    subsets: [{ name: "v1", labels: { version: "v1" }, policy: { connectionPool: { maxConnections: 9 } } }],
  });
  const resources = decoded({ ...bookinfo, hostPolicies: [policy] });
  expect(resources.cluster(v1)).toMatchObject({
    lbPolicy: LbPolicy.RANDOM,
    circuitBreakers: { thresholds: [{ maxConnections: 9 }] },
  });
  expect(resources.endpoints(v1).endpoints[0]?.lbEndpoints).toHaveLength(1);
  expect(resources.endpoints(all).endpoints[0]?.lbEndpoints).toHaveLength(3);
});

test("a port's policy stands instead of the host's as a whole", () => {
  const policy = rule({
    policy: { loadBalancer: { simple: Simple.RANDOM } },
    portPolicies: { 9080: { connectionPool: { maxConnections: 5 } } },
  });
  expect(decoded({ ...bookinfo, hostPolicies: [policy] }).cluster(all)).toMatchObject({
    lbPolicy: LbPolicy.LEAST_REQUEST,
    circuitBreakers: { thresholds: [{ maxConnections: 5 }] },
  });
});

test("rules of the caller's namespace come before the service's, then the root namespace's", () => {
  const limit = (n: number) => ({ policy: { connectionPool: { maxConnections: n } } });
  const rules = [
    rule({ ...limit(1), namespace: "istio-system" }, "DestinationRule/istio-system/r"),
    rule({ ...limit(2), namespace: "default" }, "DestinationRule/default/r"),
    rule({ ...limit(3), namespace: "shop" }, "DestinationRule/shop/r"),
  ];
  const found = (count: number, namespace: string) =>
    decoded(
      { ...bookinfo, hostPolicies: rules.slice(0, count) },
      aProxy({ metadata: { NAMESPACE: namespace } }),
    ).cluster(all).circuitBreakers?.thresholds[0]?.maxConnections;
  expect([found(1, "shop"), found(2, "shop"), found(3, "shop"), found(3, "other")]).toEqual([1, 2, 3, 2]);
});

test("a rule that is not exported counts only at home", () => {
  const hidden = rule({ exportedTo: ["default"], policy: { loadBalancer: { simple: Simple.RANDOM } } });
  const lbPolicy = (namespace: string) =>
    decoded({ ...bookinfo, hostPolicies: [hidden] }, aProxy({ metadata: { NAMESPACE: namespace } })).cluster(
      all,
    ).lbPolicy;
  expect([lbPolicy("default"), lbPolicy("shop")]).toEqual([LbPolicy.RANDOM, LbPolicy.LEAST_REQUEST]);
});

test("a rule with a workload selector is for those workloads", () => {
  const selecting = rule(
    { callerLabels: { app: "web" }, policy: { loadBalancer: { simple: Simple.RANDOM } } },
    "DestinationRule/default/b",
  );
  const general = rule(
    { policy: { loadBalancer: { simple: Simple.ROUND_ROBIN } } },
    "DestinationRule/default/a",
  );
  const lbPolicy = (app: string) =>
    decoded(
      { ...bookinfo, hostPolicies: [general, selecting] },
      aProxy({ metadata: { LABELS: { app } } }),
    ).cluster(all).lbPolicy;
  expect([lbPolicy("web"), lbPolicy("other")]).toEqual([LbPolicy.RANDOM, LbPolicy.ROUND_ROBIN]);
});

test("several rules for one host add up: the first policy, all subsets", () => {
  const resources = decoded({
    ...bookinfo,
    hostPolicies: [
      rule({ subsets: [{ name: "v1", labels: { version: "v1" } }] }, "DestinationRule/default/a"),
      rule(
        {
          policy: { loadBalancer: { simple: Simple.RANDOM } },
          subsets: [{ name: "v2", labels: { version: "v2" } }],
        },
        "DestinationRule/default/b",
      ),
    ],
  });
  expect(resources.cluster(v1).lbPolicy).toBe(LbPolicy.RANDOM);
  expect(resources.names("cluster")).toContain(`outbound|9080|v2|${reviews}`);
});

test("of rules with wildcards the most specific counts", () => {
  const wide = rule(
    { hostname: "*.local", policy: { loadBalancer: { simple: Simple.RANDOM } } },
    "DestinationRule/default/a",
  );
  const narrow = rule(
    { hostname: "*.default.svc.cluster.local", policy: { loadBalancer: { simple: Simple.ROUND_ROBIN } } },
    "DestinationRule/default/b",
  );
  expect(decoded({ ...bookinfo, hostPolicies: [wide, narrow] }).cluster(all).lbPolicy).toBe(
    LbPolicy.ROUND_ROBIN,
  );
});

test("the receiver has the capacity that the rule gives callers", () => {
  const proxy = aProxy({ id: "sidecar~10.244.1.1~reviews-v1.default~default.svc.cluster.local" });
  const policy = rule({ policy: { connectionPool: { maxConnections: 5 } } });
  const inbound = decoded({ ...bookinfo, hostPolicies: [policy] }, proxy).cluster("inbound|9080||");
  expect(inbound.circuitBreakers?.thresholds[0]?.maxConnections).toBe(5);
});

test("istioctl finds rule, subset and service of a cluster", () => {
  const policy = rule({ subsets: [{ name: "v1", labels: { version: "v1" } }] });
  expect(
    decoded({ ...bookinfo, hostPolicies: [policy] }).cluster(v1).metadata?.filterMetadata["istio"],
  ).toEqual({
    config: "/apis/networking.istio.io/v1alpha3/namespaces/default/destination-rule/reviews",
    services: [{ host: reviews, name: "reviews", namespace: "default" }],
    subset: "v1",
  });
});
