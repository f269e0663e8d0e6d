import { toBinary } from "@bufbuild/protobuf";
import {
  application,
  type Manifest,
  pod,
  routeRule,
  service,
  slice,
  toVersion,
} from "@keelson/model/testing";
import { policyTypeUrls } from "@keelson/protos";
import {
  ApplicationProtocol,
  EndpointSetSchema,
  Resolution,
  ServiceSchema,
  WorkloadSchema,
} from "@keelson/protos/policy";
import { expect, test } from "vitest";
import { compile } from "./testing/compile.ts";

const reviews = "reviews.default.svc.cluster.local";
const irOf = (...manifests: Manifest[]) => compile(...manifests).compiled.ir;

test("there is a set for every port of every service, asked for or not", () => {
  const ports = [
    { name: "http", port: 80 },
    { name: "dns", port: 53, protocol: "UDP" },
  ];
  const sets = irOf(
    service({ ports }),
    slice({ ports }),
    routeRule({ route: [toVersion("v1")] }),
  ).endpointSets;
  expect([...sets.keys()].sort()).toEqual([
    `outbound|53/udp|version=v1|${reviews}`,
    `outbound|53/udp||${reviews}`,
    `outbound|80|version=v1|${reviews}`,
    `outbound|80||${reviews}`,
  ]);
  expect(sets.get(`outbound|80||${reviews}`)?.endpoints).toMatchObject([{ port: 80, weight: 1 }]);
  expect(sets.get(`outbound|80|version=v1|${reviews}`)?.endpoints).toEqual([]);
});

test("a rule that is for some requests only has its sets, too", () => {
  const match = { request: { headers: { cookie: { exact: "jason" } } } };
  const rule = routeRule({ route: [toVersion("v2")], spec: { match } });
  const view = compile(...application(), rule);
  const name = `outbound|9080|version=v2|${reviews}`;
  expect(view.compiled.ir.endpointSets.get(name)?.endpoints).toHaveLength(1);
  expect(view.endpointSetNames().sort()).toEqual([name, `outbound|9080||${reviews}`]);
});

test("what nodes get is what the IR says", () => {
  const { compiled } = compile(...application(), routeRule({ route: [toVersion("v1")] }));
  const { ir, resources } = compiled;
  const bodies = (typeUrl: string) =>
    [...(resources.get(typeUrl)?.values() ?? [])].map(({ name, body }) => [
      name,
      Buffer.from(body).toString("hex"),
    ]);
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
  expect(bodies(policyTypeUrls.service)).toEqual(
    [...ir.services].map(([name, message]) => [name, hex(toBinary(ServiceSchema, message))]),
  );
  expect(bodies(policyTypeUrls.workload)).toEqual(
    [...ir.workloads].map(([name, message]) => [name, hex(toBinary(WorkloadSchema, message))]),
  );
  for (const [name, body] of bodies(policyTypeUrls.endpointSet)) {
    const message = ir.endpointSets.get(name ?? "");
    expect(message && hex(toBinary(EndpointSetSchema, message))).toBe(body);
  }
});

test("routes of a port are told to nodes only: proxies have the tables", () => {
  const weights = { route: [toVersion("v1", 50), toVersion("v2", 50)] };
  const view = compile(...application(), routeRule(weights));
  const [port] = view.service("reviews").ports;
  expect(port?.routes).toHaveLength(1);
  expect(view.compiled.ir.services.get(reviews)).toEqual({
    ...view.service("reviews"),
    ports: [{ ...port, routes: [] }],
  });
});

test("rules of one host are one table, in the order in which they are asked", () => {
  const { routeTables } = irOf(
    ...application(),
    routeRule({ name: "low", precedence: 1, route: [toVersion("v1")] }),
    routeRule({ name: "high", precedence: 2, route: [toVersion("v2")] }),
    routeRule({ name: "other", destination: "ratings" }),
  );
  expect([...routeTables.keys()]).toEqual([
    "RouteRule/ratings.default.svc.cluster.local",
    `RouteRule/${reviews}`,
  ]);
  expect(routeTables.get(`RouteRule/${reviews}`)).toMatchObject({
    hosts: [reviews],
    gateways: ["mesh"],
    http: [{ rule: "RouteRule default/high" }, { rule: "RouteRule default/low" }],
  });
});

test("a service may show the identities of its pods' accounts", () => {
  const { services } = irOf(...application());
  expect(services.get(reviews)?.identities).toEqual(["spiffe://cluster.local/ns/default/sa/default"]);
});

test("a headless service says whether all of its endpoints take mutual TLS", () => {
  const labels = { app: "reviews", "security.istio.io/tlsMode": "istio" };
  const [plain, injected] = [pod({ name: "a", ip: "10.1.0.1" }), pod({ name: "b", ip: "10.1.0.2", labels })];
  const of = (name: string, ip: string) => ({ addresses: [ip], targetRef: { kind: "Pod", name } });
  const told = (...endpoints: ReturnType<typeof of>[]) =>
    irOf(
      service({ ips: ["None"], ports: [{ name: "tcp", port: 80 }] }),
      plain,
      injected,
      slice({ endpoints }),
    ).services.get(reviews);
  expect(told(of("b", "10.1.0.2"))).toMatchObject({ resolution: Resolution.PASSTHROUGH, mutualTls: true });
  expect(told(of("a", "10.1.0.1"), of("b", "10.1.0.2"))?.mutualTls).toBe(false);
  expect(told()?.mutualTls).toBe(false);
});

test("other names and probes are there for Envoys of Istio 0.2", () => {
  const probe = { livenessProbe: { httpGet: { port: 3333 } } };
  const ir = irOf(
    service({
      name: "outside",
      ips: [],
      ports: [{ name: "https", port: 443 }],
      spec: { type: "ExternalName", externalName: "httpbin.org" },
    }),
    pod({ spec: { containers: [probe] } }),
  );
  expect(ir.services.size).toBe(0);
  expect(ir.externalNames.get("outside.default.svc.cluster.local")).toMatchObject({
    target: "httpbin.org",
    ports: [{ port: 443, name: "https", applicationProtocol: ApplicationProtocol.HTTPS, destinations: [] }],
  });
  expect(ir.workloads.get("default/reviews-v1")?.probePorts).toEqual([3333]);
});
