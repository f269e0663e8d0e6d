import { Resolution } from "@keelson/protos/policy";
import { ClientTls_Mode, LoadBalancer_Simple } from "@keelson/protos/traffic-policy";
import { expect, test } from "vitest";
import { ModelBuilder } from "../model-builder.ts";
import { parseObject } from "../parse-object.ts";
import {
  destinationPolicy,
  egressRule,
  type Manifest,
  originAt,
  read,
  serviceEntry,
} from "../testing/index.ts";

const build = (...manifests: Manifest[]) => {
  const { model, problems } = new ModelBuilder().build(read(...manifests));
  return {
    services: model.services,
    policies: [...model.policies.values()].map(({ policy }) => policy),
    problems,
  };
};
const problemsOf = (manifest: Manifest): string[] =>
  parseObject(manifest, originAt("a.yaml")).problems.map(
    ({ severity, field, message }) => `${severity} ${field}: ${message}`,
  );

const simpleCb = {
  maxConnections: 1,
  httpMaxPendingRequests: 2,
  httpMaxRequests: 3,
  httpMaxRequestsPerConnection: 4,
  httpConsecutiveErrors: 5,
  httpDetectionInterval: "30s",
  sleepWindow: "15.5s",
};

test("a DestinationPolicy's circuit breaker is limits and the ejection of hosts", () => {
  const spec = { loadBalancing: { name: "LEAST_CONN" }, circuitBreaker: { simpleCb } };
  expect(build(destinationPolicy({ namespace: "shop", spec })).policies).toMatchObject([
    {
      name: "DestinationPolicy/shop/rule",
      namespace: "shop",
      hostname: "reviews.shop.svc.cluster.local",
      subsets: [],
      policy: {
        loadBalancer: { simple: LoadBalancer_Simple.LEAST_REQUEST },
        connectionPool: {
          maxConnections: 1,
          http1MaxPendingRequests: 2,
          http2MaxRequests: 3,
          maxRequestsPerConnection: 4,
        },
        outlierDetection: {
          consecutive5xxErrors: 5,
          intervalMs: 30_000n,
          baseEjectionTimeMs: 15_500n,
          maxEjectionPercent: 10,
        },
      },
    },
  ]);
});

test("snake_case is read, too", () => {
  const spec = { load_balancing: { name: "RANDOM" }, circuit_breaker: { simple_cb: { max_connections: 7 } } };
  expect(build(destinationPolicy({ spec })).policies[0]?.policy).toMatchObject({
    loadBalancer: { simple: LoadBalancer_Simple.RANDOM },
    connectionPool: { maxConnections: 7 },
  });
});

test("labels make a subset, a source the callers that are meant", () => {
  const spec = {
    destination: { name: "reviews", labels: { version: "v1" } },
    source: { name: "productpage", labels: { version: "v2" } },
    loadBalancing: { name: "RANDOM" },
  };
  expect(build(destinationPolicy({ spec })).policies).toMatchObject([
    {
      callerHostname: "productpage.default.svc.cluster.local",
      callerLabels: { version: "v2" },
      subsets: [
        {
          name: "version=v1",
          labels: { version: "v1" },
          policy: { loadBalancer: { simple: LoadBalancer_Simple.RANDOM } },
        },
      ],
    },
  ]);
});

test("an EgressRule is a service outside the mesh, with TLS added on HTTPS ports", () => {
  const { services, policies } = build(egressRule());
  expect(services.get("*.example.com")).toMatchObject({
    resolution: Resolution.PASSTHROUGH,
    meshExternal: true,
    addresses: [],
    ports: [
      { port: 80, name: "external-HTTP-80", protocol: "http" },
      { port: 443, name: "external-HTTPS-443", protocol: "http" },
    ],
  });
  expect(policies).toMatchObject([
    {
      hostname: "*.example.com",
      portPolicies: { 443: { tls: { mode: ClientTls_Mode.SIMPLE, insecureSkipVerify: true } } },
    },
  ]);
});

test("of two rules for one domain the name that sorts first counts", () => {
  const { problems } = build(egressRule({ name: "b" }), egressRule({ name: "a" }));
  expect(problems).toMatchObject([
    {
      object: "EgressRule default/b",
      field: "spec.destination",
      message: expect.stringContaining("EgressRule default/a already"),
    },
  ]);
});

test("a ServiceEntry counts before an EgressRule", () => {
  const { problems } = build(
    serviceEntry(),
    egressRule({ spec: { destination: { service: "api.example.com" } } }),
  );
  expect(problems).toMatchObject([{ object: "EgressRule default/rule", severity: "warning" }]);
});

test.each<[Manifest, RegExp]>([
  [destinationPolicy({ spec: { destination: {} } }), /^error spec\.destination: needs a name/],
  [destinationPolicy({ spec: { loadBalancing: {} } }), /^error spec\.loadBalancing: needs a name/],
  [destinationPolicy({ spec: { loadBalancing: { name: "FASTEST" } } }), /^error spec\.loadBalancing\.name/],
  [
    destinationPolicy({ spec: { circuitBreaker: { custom: {} } } }),
    /^warning spec\.circuitBreaker\.custom: has no effect/,
  ],
  [destinationPolicy({ spec: { circuitBraker: {} } }), /did you mean "circuitBreaker"/],
  [egressRule({ spec: { destination: { name: "a" } } }), /^error spec\.destination\.service: is required/],
  [egressRule({ spec: { ports: [] } }), /^error spec\.ports/],
  [egressRule({ spec: { ports: [{ port: 1, protocol: "tcp" }] } }), /is none of http, https, http2 and grpc/],
  [egressRule({ spec: { useEgressProxy: true } }), /^error spec\.useEgressProxy/],
])("%#: what Pilot 0.2 refuses, or we do not do, is said", (manifest, message) => {
  expect(problemsOf(manifest)[0]).toMatch(message);
});
