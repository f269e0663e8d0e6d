import type { HttpMatchSchema } from "@keelson/protos/match";
import { ApplicationProtocol, Resolution } from "@keelson/protos/policy";
import { expect, test } from "vitest";
import type { IrParts } from "../envoy/testing/builders.ts";
import { aGateway, aRouteTable, aService } from "../envoy/testing/builders.ts";
import type { Init } from "../envoy/wire.ts";
import { Answers } from "./testing/answers.ts";
import { httpPort, reviews, scene, withRules } from "./testing/scene.ts";

const node = "ingress~10.3.0.1~ingress.default~default.svc.cluster.local";
const egressNode = "egress~10.3.0.2~egress.default~default.svc.cluster.local";

type Match = Init<typeof HttpMatchSchema>;
const exact = (value: string): Match => ({ uri: { how: { case: "exact", value } } });
const prefix = (value: string): Match => ({ uri: { how: { case: "prefix", value } } });

const gateways = [
  aGateway("istio-system/plain", { servers: [{ port: 80, protocol: "HTTP" }] }),
  aGateway("istio-system/tls", {
    servers: [{ port: 443, protocol: "HTTPS", tls: { credentialNames: ["a"] } }],
  }),
];

const ingress = (
  name: string,
  host: string,
  matches: Match[],
  { tls = false, hostname = reviews, port = 80 } = {},
) =>
  aRouteTable(`Ingress/default/${name}/${host}`, {
    hosts: [host],
    gateways: [tls ? "istio-system/tls" : "istio-system/plain"],
    http: matches.map((match) => ({ matches: [match], destinations: [{ hostname, port, weight: 1 }] })),
  });

const serve = (routeTables: IrParts["routeTables"], parts: IrParts = scene): Answers =>
  new Answers({ ...parts, gateways, routeTables: [...(parts.routeTables ?? []), ...(routeTables ?? [])] });

test("hosts of several Ingresses are one virtual host: paths first, then the longest prefix", () => {
  const answers = serve([
    ingress("a", "a.com", [prefix("/a"), exact("/z"), prefix("/")]),
    ingress("b", "a.com", [exact("/b"), prefix("/a/b")]),
    ingress("c", "*", [prefix("/")]),
  ]);
  const hosts = answers.hosts("80", node);
  expect(hosts.map(({ name, domains }) => [name, domains])).toEqual([
    ["*", ["*"]],
    ["a.com", ["a.com", "a.com:80"]],
  ]);
  expect(hosts[1]?.routes.map(({ path, prefix: start }) => path ?? start)).toEqual([
    "/b",
    "/z",
    "/a/b",
    "/a",
    "/",
  ]);
  expect(answers.hosts("443", node)).toEqual([]);
  expect(answers.listeners(node).map(({ name }) => name)).toEqual(["http_0.0.0.0_80"]);
});

test("an Ingress with a certificate is served on 443 only", () => {
  const answers = serve([ingress("a", "a.com", [prefix("/")], { tls: true })]);
  expect(answers.hosts("80", node)).toEqual([]);
  expect(answers.hosts("443", node)[0]?.domains).toEqual(["a.com", "a.com:443"]);
  expect(answers.listeners(node)).toMatchObject([
    { name: "http_0.0.0.0_80", bind_to_port: true },
    { name: "http_0.0.0.0_443", ssl_context: { cert_chain_file: "/etc/istio/ingress-certs/tls.crt" } },
  ]);
});

test("callers of 0.7's ingress may choose HTTP/2", () => {
  const parts = { ...scene, gateways, routeTables: [ingress("a", "a.com", [prefix("/")], { tls: true })] };
  expect(new Answers(parts, { age: "0.7" }).listener("http_0.0.0.0_443", node)).toMatchObject({
    ssl_context: { alpn_protocols: "h2,http/1.1" },
  });
});

test("the rules of the service behind it count, as far as they are about its paths", () => {
  const rules = withRules(
    {
      matches: [prefix("/a/b")],
      destinations: [{ hostname: reviews, labels: { version: "v2" }, weight: 1 }],
    },
    {
      matches: [exact("/other")],
      destinations: [{ hostname: reviews, labels: { version: "v3" }, weight: 1 }],
    },
  );
  const routes = serve([ingress("a", "a.com", [prefix("/a")])], rules).hosts("80", node)[0]?.routes;
  expect(routes?.map(({ path, prefix: start }) => path ?? start)).toEqual(["/a/b", "/a"]);
});

test("0.7 leaves the service's catch-all out where there is another route", () => {
  const rules = withRules({ matches: [prefix("/a/b")] });
  const parts = {
    ...rules,
    gateways,
    routeTables: [...(rules.routeTables ?? []), ingress("a", "a.com", [prefix("/a")])],
  };
  const routes = new Answers(parts, { age: "0.7" }).hosts("80", node)[0]?.routes;
  expect(routes?.map(({ prefix: start }) => start)).toEqual(["/a/b"]);
});

test.each([
  ["a service that is not there", { hostname: "x.default.svc.cluster.local" }, prefix("/")],
  ["a port that is not there", { port: 81 }, prefix("/")],
  ["a port that is not HTTP", { port: 90 }, prefix("/")],
  ["a condition that Pilot's Ingress did not know", {}, { headers: [{ name: "a" }] }],
])("an Ingress to %s has no route", (_, to, match) => {
  const services = [
    aService("reviews", {
      ports: [httpPort, { port: 90, name: "tcp", applicationProtocol: ApplicationProtocol.TCP }],
    }),
  ];
  const hosts = serve([ingress("a", "a.com", [match], to)], { ...scene, services }).hosts("80", node);
  expect(hosts.flatMap(({ routes }) => routes)).toEqual([]);
});

test("the egress proxy's port is that of its address; without one it listens nowhere that is asked for", () => {
  const at = (egressProxyAddress: string) =>
    new Answers(scene, { mesh: { egressProxyAddress } }).listeners(egressNode).map(({ name }) => name);
  expect(at("istio-egress:80")).toEqual(["http_0.0.0.0_80"]);
  expect(at("[fd00::1]:81")).toEqual(["http_0.0.0.0_81"]);
});

const letOut = (ports: Parameters<typeof aService>[1]) =>
  aService("x", { meshExternal: true, resolution: Resolution.PASSTHROUGH, addresses: [], ...ports });

test("of what is let out, HTTP is routed by name; TLS that the workload begins itself is not", () => {
  const ports = [
    { port: 443, name: "external-HTTPS-443", applicationProtocol: ApplicationProtocol.HTTP },
    { port: 444, name: "https", applicationProtocol: ApplicationProtocol.HTTPS },
    { port: 445, name: "web", applicationProtocol: ApplicationProtocol.HTTP },
    { port: 446, name: "tls", applicationProtocol: ApplicationProtocol.TLS },
  ];
  const answers = new Answers({ services: [letOut({ hostname: "*.example.com", ports })] });
  expect(answers.hosts("443")).toMatchObject([
    { name: "*.example.com:443", domains: ["*.example.com", "*.example.com:443"] },
  ]);
  const clusters = answers
    .clusters()
    .map(({ service_name: key, type, ssl_context: tls }) => JSON.stringify([key, type, tls]));
  expect(clusters.sort()).toEqual([
    '["*.example.com|external-HTTPS-443","original_dst",{}]',
    '["*.example.com|web","original_dst",null]',
  ]);
  expect(answers.listeners().map(({ name }) => name)).toEqual([
    "virtual",
    "http_0.0.0.0_443",
    "http_0.0.0.0_445",
  ]);
});

test("a rule for such a host changes its requests, and not where they go", () => {
  const answers = new Answers({
    services: [
      letOut({
        hostname: "a.com",
        ports: [{ port: 80, name: "external-HTTP-80", applicationProtocol: ApplicationProtocol.HTTP }],
      }),
    ],
    routeTables: [
      aRouteTable("RouteRule/a.com", {
        hosts: ["a.com"],
        http: [
          { matches: [prefix("/old")], redirect: { uri: "/new", code: 301 } },
          {
            timeoutMs: 5n,
            destinations: [
              { hostname: "b.com", weight: 1 },
              { hostname: "c.com", weight: 1 },
            ],
          },
        ],
      }),
    ],
  });
  const [redirect, rest] = answers.hosts("80")[0]?.routes ?? [];
  expect(redirect).toEqual({ prefix: "/old", path_redirect: "/new" });
  const [only, ...others] = answers.clusters();
  expect(others).toEqual([]);
  expect(rest).toEqual({ prefix: "/", cluster: only?.name, timeout_ms: 5 });
});
