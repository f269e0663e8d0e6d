import { LoadBalancer_Simple } from "@keelson/protos/traffic-policy";
import { expect, test } from "vitest";
import { ModelBuilder } from "../model-builder.ts";
import { destinationRule, type IstioFields, type Manifest, read } from "../testing/index.ts";

const build = (...manifests: Manifest[]) => {
  const { model, problems } = new ModelBuilder().build(read(...manifests));
  return { policies: [...model.policies.values()].map(({ policy }) => policy), problems };
};
const policyOf = (spec: IstioFields["spec"]) => build(destinationRule({ ...(spec && { spec }) })).policies[0];

test("a rule is for a host, and has subsets in the order written", () => {
  expect(build(destinationRule({ namespace: "shop", name: "a" })).policies).toMatchObject([
    {
      name: "DestinationRule/shop/a",
      namespace: "shop",
      hostname: "reviews.shop.svc.cluster.local",
      exportedTo: [],
      callerLabels: {},
      subsets: [
        { name: "v1", labels: { version: "v1" } },
        { name: "v2", labels: { version: "v2" } },
        { name: "v3", labels: { version: "v3" } },
      ],
    },
  ]);
});

test("a rule for some workloads is for those of its namespace", () => {
  expect(policyOf({ workloadSelector: { matchLabels: { app: "a" } } })).toMatchObject({
    callerLabels: { app: "a" },
    exportedTo: ["default"],
  });
});

test.each([
  [
    { loadBalancer: { simple: "LEAST_CONN" } },
    { loadBalancer: { simple: LoadBalancer_Simple.LEAST_REQUEST } },
  ],
  [
    {
      loadBalancer: { consistentHash: { httpCookie: { name: "c", ttl: "60s" }, maglev: { tableSize: 101 } } },
    },
    {
      loadBalancer: {
        consistentHash: {
          key: { case: "httpCookie", value: { name: "c", ttlMs: 60_000n } },
          maglevTableSize: 101n,
        },
      },
    },
  ],
  [
    {
      loadBalancer: {
        localityLbSetting: { enabled: true, distribute: [{ from: "a", to: { b: 80, a: 20 } }] },
        warmup: { duration: "1m" },
      },
    },
    {
      loadBalancer: {
        locality: { enabled: true, distribute: [{ from: "a", to: { a: 20, b: 80 } }] },
        warmupMs: 60_000n,
      },
    },
  ],
  [
    {
      connectionPool: {
        tcp: {
          maxConnections: 10,
          connectTimeout: "30ms",
          tcpKeepalive: { probes: 3, time: "2h", interval: "75s" },
        },
        http: {
          http1MaxPendingRequests: 1,
          http2MaxRequests: 2,
          maxRequestsPerConnection: 3,
          maxRetries: 4,
          h2UpgradePolicy: "UPGRADE",
        },
      },
    },
    {
      connectionPool: {
        maxConnections: 10,
        connectTimeoutMs: 30n,
        tcpKeepalive: { probes: 3, timeMs: 7_200_000n, intervalMs: 75_000n },
        http1MaxPendingRequests: 1,
        http2MaxRequests: 2,
        maxRequestsPerConnection: 3,
        maxRetries: 4,
        h2Upgrade: 2,
      },
    },
  ],
  [
    {
      outlierDetection: {
        consecutive5xxErrors: 7,
        consecutiveGatewayErrors: 0,
        interval: "5m",
        baseEjectionTime: "15m",
        maxEjectionPercent: 50,
      },
    },
    {
      outlierDetection: {
        consecutive5xxErrors: 7,
        consecutiveGatewayErrors: 0,
        intervalMs: 300_000n,
        baseEjectionTimeMs: 900_000n,
        maxEjectionPercent: 50,
      },
    },
  ],
  [
    {
      tls: {
        mode: "MUTUAL",
        clientCertificate: "/c",
        privateKey: "/k",
        caCertificates: "/ca",
        sni: "a.b",
        subjectAltNames: ["s"],
      },
    },
    {
      tls: {
        mode: 3,
        clientCertificate: "/c",
        privateKey: "/k",
        caCertificates: "/ca",
        sni: "a.b",
        subjectAltNames: ["s"],
      },
    },
  ],
  [{ proxyProtocol: { version: "V2" } }, { proxyProtocol: 2 }],
])("%j is taken over", (trafficPolicy, expected) => {
  expect(policyOf({ trafficPolicy })?.policy).toMatchObject(expected);
  const subsets = [{ name: "a", trafficPolicy }];
  expect(policyOf({ subsets })?.subsets[0]?.policy).toMatchObject(expected);
});

test("ports have settings of their own", () => {
  const portLevelSettings = [{ port: { number: 443 }, tls: { mode: "SIMPLE" } }];
  const made = policyOf({ trafficPolicy: { portLevelSettings } });
  expect(made?.policy).toBeUndefined();
  expect(made?.portPolicies).toMatchObject({ 443: { tls: { mode: 2 } } });
});

const random = { loadBalancer: { simple: "RANDOM" } };
const subset = (name: string, version = name) => ({ name, labels: { version } });

test("rules of one namespace for one host are merged: subsets are added, the first policy counts", () => {
  const first = destinationRule({ name: "a", spec: { subsets: [subset("v1")] } });
  const second = destinationRule({
    name: "b",
    spec: {
      host: "reviews.default.svc.cluster.local",
      subsets: [subset("v1", "x"), subset("v2")],
      trafficPolicy: random,
    },
  });
  const third = destinationRule({
    name: "c",
    spec: { subsets: [], trafficPolicy: { tls: { mode: "DISABLE" } } },
  });
  const { policies, problems } = build(third, second, first);
  expect(policies).toMatchObject([
    {
      name: "DestinationRule/default/a",
      subsets: [
        { name: "v1", labels: { version: "v1" } },
        { name: "v2", labels: { version: "v2" } },
      ],
      policy: { loadBalancer: { simple: LoadBalancer_Simple.RANDOM } },
    },
  ]);
  expect(policies[0]?.policy?.tls).toBeUndefined();
  expect(problems).toMatchObject([
    { object: "DestinationRule default/b", field: "spec.subsets[0]", severity: "warning" },
    { object: "DestinationRule default/c", field: "spec.trafficPolicy", severity: "warning" },
  ]);
});

test("of rules with times, the older one is the first", () => {
  const older = destinationRule({
    name: "z",
    creationTimestamp: "2024-01-01T00:00:00Z",
    spec: { trafficPolicy: random },
  });
  const newer = destinationRule({ name: "a", creationTimestamp: "2025-01-01T00:00:00Z" });
  expect(build(newer, older).policies.map(({ name }) => name)).toEqual(["DestinationRule/default/z"]);
});

test.each([
  ["another namespace", { namespace: "other", spec: { host: "reviews.default.svc.cluster.local" } }],
  ["other callers", { name: "b", spec: { workloadSelector: { matchLabels: { a: "b" } } } }],
  ["other visibility", { name: "b", spec: { exportTo: ["."] } }],
])("rules for %s stay apart", (_, fields) => {
  expect(build(destinationRule(), destinationRule(fields)).policies).toHaveLength(2);
});
