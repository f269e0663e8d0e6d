import { create } from "@bufbuild/protobuf";
import { ApplicationProtocol, ExternalNameSchema, Resolution } from "@keelson/protos/policy";
import { LoadBalancer_Simple as Simple } from "@keelson/protos/traffic-policy";
import { expect, test } from "vitest";
import { aHostPolicy, anEndpointSet, aService } from "../envoy/testing/builders.ts";
import { outboundName } from "./service-key.ts";
import { Answers, sidecar } from "./testing/answers.ts";
import { httpPort, reviews, scene, tcpPort, withRules } from "./testing/scene.ts";

const port = (name: string, number: number, applicationProtocol: ApplicationProtocol) => ({
  name,
  port: number,
  applicationProtocol,
});

test("HTTP/2 and gRPC are spoken to endpoints of their ports, at both ends", () => {
  const ports = [
    port("http2", 1, ApplicationProtocol.HTTP2),
    port("grpc", 2, ApplicationProtocol.GRPC),
    port("grpc-web", 3, ApplicationProtocol.GRPC_WEB),
    port("http", 4, ApplicationProtocol.HTTP),
    port("unknown", 5, ApplicationProtocol.UNSPECIFIED),
  ];
  const endpointSets = ports.map((each) =>
    anEndpointSet(`outbound|${each.port}||${reviews}`, [{ address: "10.1.0.1", port: each.port }]),
  );
  const answers = new Answers({ services: [aService("reviews", { ports })], endpointSets });
  const http2 = answers.clusters(sidecar("10.1.0.1")).filter(({ features }) => features === "http2");
  expect(http2.map(({ name, service_name: key }) => key ?? name).sort()).toEqual([
    "in.1",
    "in.2",
    `${reviews}|grpc`,
    `${reviews}|http2`,
  ]);
});

test("a headless service's connections go where the caller dials, by one cluster for all", () => {
  const services = ["a", "b"].map((name) =>
    aService(name, { addresses: [], resolution: Resolution.PASSTHROUGH, ports: [tcpPort, httpPort] }),
  );
  const answers = new Answers({ services }, { mesh: { mutualTls: true } });
  expect(answers.cluster("out.orig-dst-cluster-tcp")).toEqual({
    name: "out.orig-dst-cluster-tcp",
    connect_timeout_ms: 1000,
    type: "original_dst",
    lb_type: "original_dst_lb",
  });
  expect(answers.listeners().filter(({ name }) => name.startsWith("tcp"))).toMatchObject([
    {
      name: "tcp_0.0.0.0_90",
      filters: [{ config: { route_config: { routes: [{ cluster: "out.orig-dst-cluster-tcp" }] } } }],
    },
  ]);
  expect(answers.hosts("80")).toHaveLength(2);
});

const outside = (resolution: Resolution, endpoints: Parameters<typeof anEndpointSet>[1]) => {
  const service = aService("api", { meshExternal: true, resolution, ports: [httpPort] });
  const parts = {
    services: [service],
    endpointSets: [anEndpointSet(`outbound|80||${service.hostname}`, endpoints)],
  };
  return new Answers(parts, { mesh: { mutualTls: true } }).cluster(
    outboundName(`${service.hostname}|http`, "0.2"),
  );
};

test("endpoints outside the mesh stand in the cluster, and take no mutual TLS", () => {
  expect(outside(Resolution.STATIC, [{ address: "1.2.3.4", port: 8080 }, { address: "fd00::1" }])).toEqual({
    name: outboundName("api.default.svc.cluster.local|http", "0.2"),
    connect_timeout_ms: 1000,
    type: "static",
    lb_type: "round_robin",
    hosts: [{ url: "tcp://1.2.3.4:8080" }, { url: "tcp://[fd00::1]:8080" }],
  });
  expect(outside(Resolution.DNS, [{ hostname: "api.com", port: 81 }])).toMatchObject({
    type: "strict_dns",
    hosts: [{ url: "tcp://api.com:81" }],
  });
});

const pool = { connectTimeoutMs: 50n, maxConnections: 1, http1MaxPendingRequests: 2, http2MaxRequests: 3 };
const outliers = { consecutive5xxErrors: 4, intervalMs: 5n, baseEjectionTimeMs: 6n };

test("limits and ejection are Envoy's; a tenth may be ejected where a rule says nothing", () => {
  const policy = aHostPolicy("DestinationRule/default/a", {
    hostname: reviews,
    policy: {
      loadBalancer: { simple: Simple.LEAST_REQUEST },
      connectionPool: { ...pool, maxRequestsPerConnection: 7, maxRetries: 8 },
      outlierDetection: outliers,
    },
  });
  expect(new Answers({ ...scene, hostPolicies: [policy] }).cluster(`${reviews}|http`)).toEqual({
    name: outboundName(`${reviews}|http`, "0.2"),
    service_name: `${reviews}|http`,
    connect_timeout_ms: 50,
    type: "sds",
    lb_type: "least_request",
    max_requests_per_connection: 7,
    circuit_breakers: {
      default: { max_connections: 1, max_pending_requests: 2, max_requests: 3, max_retries: 8 },
    },
    outlier_detection: {
      consecutive_5xx: 4,
      interval_ms: 5,
      base_ejection_time_ms: 6,
      max_ejection_percent: 10,
    },
  });
});

const balanced = (simple: Simple) => ({ loadBalancer: { simple } });
const v1 = { name: "v1", labels: { version: "v1" } };

test("a DestinationPolicy is for clusters with its very labels, and nothing is inherited", () => {
  const parts = withRules({
    destinations: [
      { hostname: reviews, labels: v1.labels, weight: 50 },
      { hostname: reviews, labels: { version: "v2" }, weight: 50 },
    ],
  });
  const whole = aHostPolicy("DestinationPolicy/default/a", {
    hostname: reviews,
    policy: balanced(Simple.RANDOM),
  });
  const part = aHostPolicy("DestinationPolicy/default/b", {
    hostname: reviews,
    subsets: [{ ...v1, policy: balanced(Simple.LEAST_REQUEST) }],
  });
  const answers = new Answers({
    ...parts,
    services: [aService("reviews", { ports: [httpPort, tcpPort] })],
    hostPolicies: [whole, part],
  });
  const kinds = answers.clusters().map(({ service_name: key, lb_type: kind }) => [key, kind]);
  expect(Object.fromEntries(kinds)).toEqual({
    [`${reviews}|tcp`]: "random",
    [`${reviews}|http|version=v1`]: "least_request",
    [`${reviews}|http|version=v2`]: "round_robin",
  });
});

test("of today's rules a subset has what is said for the host, and what it says itself", () => {
  const policy = aHostPolicy("DestinationRule/default/a", {
    hostname: "*.svc.cluster.local",
    policy: { ...balanced(Simple.RANDOM), connectionPool: pool },
    portPolicies: { 90: balanced(Simple.LEAST_REQUEST) },
    subsets: [{ ...v1, policy: { outlierDetection: outliers } }],
  });
  const answers = new Answers({
    ...withRules({ destinations: [{ hostname: reviews, subset: "v1", weight: 1 }] }),
    services: [aService("reviews", { ports: [httpPort, tcpPort] })],
    hostPolicies: [policy],
  });
  expect(answers.cluster(`${reviews}|http|version=v1`)).toMatchObject({
    lb_type: "random",
    circuit_breakers: { default: { max_connections: 1 } },
    outlier_detection: { consecutive_5xx: 4 },
  });
  expect(answers.cluster(`${reviews}|tcp`)).toMatchObject({ lb_type: "least_request" });
  expect(answers.cluster(`${reviews}|tcp`)).not.toHaveProperty("circuit_breakers");
});

test("policies are for some callers, the first that is for this one counts", () => {
  const policies = [
    aHostPolicy("DestinationPolicy/default/a", {
      hostname: reviews,
      callerHostname: "callers.default.svc.cluster.local",
      callerLabels: { app: "caller" },
      policy: balanced(Simple.LEAST_REQUEST),
    }),
    aHostPolicy("DestinationPolicy/default/b", { hostname: reviews, policy: balanced(Simple.RANDOM) }),
    aHostPolicy("DestinationRule/default/c", { hostname: reviews, policy: { connectionPool: pool } }),
  ];
  const answers = new Answers({ ...scene, hostPolicies: policies });
  expect(answers.cluster(`${reviews}|http`, sidecar("10.2.0.1"))?.["lb_type"]).toBe("least_request");
  expect(answers.cluster(`${reviews}|http`, sidecar())?.["lb_type"]).toBe("random");
  expect(answers.cluster(`${reviews}|http`, sidecar())).not.toHaveProperty("circuit_breakers");
});

test("mutual TLS verifies who may stand behind a service", () => {
  const services = [
    aService("reviews", { ports: [httpPort], identities: ["spiffe://a/ns/b/sa/c", "old-style"] }),
  ];
  expect(new Answers({ services }, { mesh: { mutualTls: true } }).cluster(`${reviews}|http`)).toMatchObject({
    ssl_context: {
      cert_chain_file: "/etc/certs/cert-chain.pem",
      private_key_file: "/etc/certs/key.pem",
      ca_cert_file: "/etc/certs/root-cert.pem",
      verify_subject_alt_name: ["spiffe://a/ns/b/sa/c", "spiffe://old-style"],
    },
  });
});

const named = create(ExternalNameSchema, {
  hostname: "bin.default.svc.cluster.local",
  namespace: "default",
  target: "httpbin.org",
  ports: [
    port("http", 80, ApplicationProtocol.HTTP),
    port("https", 443, ApplicationProtocol.HTTPS),
    port("tcp", 90, ApplicationProtocol.TCP),
  ],
});

test("0.2 reaches an external name through the egress proxy, in the clear, and only by HTTP", () => {
  const answers = new Answers({ externalNames: [named] }, { mesh: { egressProxyAddress: "egress:81" } });
  expect(answers.hosts("443")).toMatchObject([
    { name: `${named.hostname}|https`, routes: [{ prefix: "/", host_rewrite: named.hostname }] },
  ]);
  expect(answers.clusters().map(({ type, hosts }) => [type, hosts])).toEqual([
    ["strict_dns", [{ url: "tcp://egress:81" }]],
    ["strict_dns", [{ url: "tcp://egress:81" }]],
  ]);
  expect(answers.listeners().map(({ name }) => name)).toEqual([
    "virtual",
    "http_0.0.0.0_443",
    "http_0.0.0.0_80",
  ]);
});

test("without an egress proxy 0.2 has no way to external names", () => {
  const answers = new Answers({ externalNames: [named] }, { mesh: { egressProxyAddress: "" } });
  expect(answers.clusters()).toEqual([]);
  expect(answers.listeners().map(({ name }) => name)).toEqual(["virtual"]);
});

test("0.7 looks an external name up, and speaks no mutual TLS to it", () => {
  const answers = new Answers({ externalNames: [named] }, { age: "0.7", mesh: { mutualTls: true } });
  expect(answers.clusters()).toEqual(
    ["http", "https"].map((name, i) => ({
      name: `out.${named.hostname}|${name}`,
      connect_timeout_ms: 1000,
      type: "strict_dns",
      lb_type: "round_robin",
      hosts: [{ url: `tcp://${named.hostname}:${[80, 443][i]}` }],
    })),
  );
});
