import { expect, test } from "vitest";
import { type IstioFields, readAs, virtualService } from "../testing/index.ts";
import { normaliseVirtualService } from "./virtual-services.ts";

const normalise = (fields: IstioFields) =>
  normaliseVirtualService(readAs("VirtualService", virtualService(fields)), "cluster.local");
const tableOf = (fields: IstioFields) => normalise(fields).value.source.table;
const route = [{ destination: { host: "reviews" } }];
const httpOf = (written: object) => tableOf({ spec: { http: [{ route, ...written }] } }).http[0];
const matchOf = (written: object) => httpOf({ match: [written] })?.matches[0];

test("the table is named by the rule, and every route says which one", () => {
  const table = tableOf({ name: "a", namespace: "shop" });
  expect(table).toMatchObject({ name: "VirtualService/shop/a", namespace: "shop", gateways: ["mesh"] });
  expect(table.http.map(({ rule }) => rule)).toEqual(["VirtualService shop/a"]);
});

test("short hosts are of the rule's own namespace, all others are as written", () => {
  const hosts = ["reviews", "ratings.other", "*.example.com", "10.0.0.1", "Example.org"];
  expect(tableOf({ namespace: "shop", spec: { hosts } }).hosts).toEqual([
    "reviews.shop.svc.cluster.local",
    "ratings.other",
    "*.example.com",
    "10.0.0.1",
    "example.org",
  ]);
});

test("gateways without a namespace are of the rule's own", () => {
  const gateways = ["mesh", "a", "other/b", "./c", "d.infra.svc.cluster.local"];
  expect(tableOf({ namespace: "shop", spec: { gateways } }).gateways).toEqual([
    "mesh",
    "shop/a",
    "other/b",
    "shop/c",
    "infra/d",
  ]);
});

test.each([
  [[], []],
  [["*"], []],
  [["."], ["shop"]],
  [
    ["b", "a"],
    ["a", "b"],
  ],
])("exportTo %j is for the namespaces %j", (exportTo, expected) => {
  expect(tableOf({ namespace: "shop", spec: { exportTo } }).exportedTo).toEqual(expected);
});

test("a destination has a host, a subset, a port and a weight", () => {
  const destination = { host: "ratings", subset: "v1", port: { number: 9080 } };
  expect(httpOf({ route: [{ destination, weight: 30 }] })?.destinations).toMatchObject([
    { hostname: "ratings.default.svc.cluster.local", subset: "v1", port: 9080, weight: 30 },
  ]);
});

test("a match looks at requests, ports, gateways and callers", () => {
  expect(
    matchOf({
      name: "m",
      uri: { prefix: "/api" },
      scheme: { exact: "https" },
      method: { exact: "GET" },
      authority: { regex: "a.*" },
      ignoreUriCase: true,
      port: 9080,
      sourceLabels: { b: "2", a: "1" },
      sourceNamespace: "shop",
      gateways: ["gw"],
      queryParams: { q: { exact: "1" }, flag: {} },
      headers: { "X-B": { exact: "b" }, "x-a": {} },
      withoutHeaders: { "x-c": { regex: "*" }, "x-d": { prefix: "d" } },
      statPrefix: "s",
    }),
  ).toMatchObject({
    name: "m",
    uri: { how: { case: "prefix", value: "/api" } },
    scheme: { how: { case: "exact", value: "https" } },
    method: { how: { case: "exact", value: "GET" } },
    authority: { how: { case: "regex", value: "a.*" } },
    ignoreUriCase: true,
    port: 9080,
    source: { labels: { a: "1", b: "2" }, namespace: "shop" },
    gateways: ["default/gw"],
    queryParameters: [{ name: "flag" }, { name: "q", value: { how: { value: "1" } } }],
    headers: [
      { name: "x-a", invert: false },
      { name: "x-b", invert: false, value: { how: { case: "exact", value: "b" } } },
      { name: "x-c", invert: true },
      { name: "x-d", invert: true, value: { how: { case: "prefix", value: "d" } } },
    ],
    statPrefix: "s",
  });
});

test("a header that must only be there has no value to compare", () => {
  expect(matchOf({ headers: { "x-a": {} } })?.headers[0]).not.toHaveProperty("value");
});

test.each([
  ["timeout", { timeout: "1.5s" }, { timeoutMs: 1500n }],
  ["no timeout", { timeout: "0s" }, { timeoutMs: 0n }],
  [
    "retries",
    {
      retries: {
        attempts: 3,
        perTryTimeout: "2s",
        retryOn: "5xx,503",
        retryRemoteLocalities: true,
        backoff: "25ms",
      },
    },
    {
      retries: {
        attempts: 3,
        perTryTimeoutMs: 2000n,
        retryOn: "5xx,503",
        retryRemoteLocalities: true,
        backoffMs: 25n,
      },
    },
  ],
  [
    "fault",
    {
      fault: {
        delay: { percentage: { value: 0.1 }, fixedDelay: "5s" },
        abort: { percentage: { value: 50 }, grpcStatus: "UNAVAILABLE" },
      },
    },
    {
      fault: {
        delayPercent: 0.1,
        delayMs: 5000n,
        abortPercent: 50,
        httpStatus: 0,
        grpcStatus: "UNAVAILABLE",
      },
    },
  ],
  ["rewrite", { rewrite: { uri: "/a", authority: "b.c" } }, { rewrite: { uri: "/a", authority: "b.c" } }],
  [
    "rewrite by regex",
    { rewrite: { uriRegexRewrite: { match: "^/a(.*)", rewrite: "/b\\1" } } },
    { rewrite: { regex: "^/a(.*)", substitution: "/b\\1" } },
  ],
  [
    "headers",
    { headers: { request: { set: { b: "2", a: "1" }, remove: ["c"] }, response: { add: { d: "3" } } } },
    { requestHeaders: { set: { a: "1", b: "2" }, remove: ["c"] }, responseHeaders: { add: { d: "3" } } },
  ],
  [
    "corsPolicy",
    {
      corsPolicy: {
        allowOrigins: [{ exact: "https://a.b" }],
        allowMethods: ["GET"],
        maxAge: "24h",
        allowCredentials: false,
      },
    },
    {
      cors: {
        allowOrigins: [{ how: { case: "exact", value: "https://a.b" } }],
        allowMethods: ["GET"],
        maxAgeMs: 86_400_000n,
        allowCredentials: false,
      },
    },
  ],
  [
    "mirror",
    { mirror: { host: "ratings" } },
    { mirrors: [{ percent: 100, destination: { hostname: "ratings.default.svc.cluster.local" } }] },
  ],
  [
    "mirror of a part",
    { mirror: { host: "ratings" }, mirrorPercentage: { value: 7.5 } },
    { mirrors: [{ percent: 7.5 }] },
  ],
  ["mirror of nothing", { mirror: { host: "ratings" }, mirrorPercentage: { value: 0 } }, { mirrors: [] }],
])("%s is taken over", (_, written, expected) => {
  expect(httpOf(written)).toMatchObject(expected);
});

test("headers of a destination are its own", () => {
  const headers = { request: { set: { a: "1" } } };
  const made = httpOf({ route: [{ ...route[0], headers }] });
  expect(made?.destinations[0]?.requestHeaders).toMatchObject({ set: { a: "1" } });
  expect(made).not.toHaveProperty("requestHeaders");
});

test.each([
  [
    { uri: "/new", redirectCode: 302 },
    { uri: "/new", code: 302, port: 0, portFromRequest: false },
  ],
  [
    { authority: "a.b", port: 8443, scheme: "https" },
    { authority: "a.b", code: 301, port: 8443, scheme: "https" },
  ],
  [
    { prefixRewrite: "/b", derivePort: "FROM_REQUEST_PORT" },
    { prefixRewrite: "/b", portFromRequest: true },
  ],
])("redirect %j", (redirect, expected) => {
  const [made] = tableOf({ spec: { http: [{ redirect }] } }).http;
  expect(made).toMatchObject({ redirect: expected, destinations: [] });
});

test.each([
  [{ string: "gone" }, "gone"],
  [{ bytes: "Z29uZQ==" }, "gone"],
  [undefined, ""],
])("a direct response with body %j", (body, text) => {
  const [made] = tableOf({ spec: { http: [{ directResponse: { status: 410, body } }] } }).http;
  expect(made?.directResponse?.status).toBe(410);
  expect(Buffer.from(made?.directResponse?.body ?? []).toString()).toBe(text);
});

test("tcp and tls routes match connections", () => {
  const tcp = [
    { match: [{ destinationSubnets: ["10.0.0.0/8"], sourceSubnet: "10.1.0.0/16", port: 27017 }], route },
  ];
  const tls = [{ match: [{ sniHosts: ["reviews"], port: 443, sourceLabels: { a: "1" } }], route }];
  const made = tableOf({ spec: { tcp, tls } });
  expect(made.tcp[0]?.matches).toMatchObject([
    { destinationSubnets: ["10.0.0.0/8"], sourceSubnets: ["10.1.0.0/16"], port: 27017 },
  ]);
  expect(made.tls[0]?.matches).toMatchObject([
    { sniHosts: ["reviews"], port: 443, source: { labels: { a: "1" } } },
  ]);
});

test("each route knows its place", () => {
  const { value } = normalise({
    spec: { http: [{ route }, { route, match: [{ port: 1 }] }], tcp: [{ route }] },
  });
  expect(value.source.http.map(({ path }) => path)).toEqual([
    ["spec", "http", 0],
    ["spec", "http", 1],
  ]);
  expect(value.source.tcp.map(({ path }) => path)).toEqual([["spec", "tcp", 0]]);
});

test("a route that matches claims of a token is left out, not widened, and said", () => {
  const match = [{ headers: { "@request.auth.claims.sub": { exact: "a" } } }];
  const { value, problems } = normalise({
    spec: {
      gateways: ["gw"],
      http: [
        { route, match },
        { name: "last", route },
      ],
    },
  });
  expect(value.source.table.http.map(({ name }) => name)).toEqual(["last"]);
  expect(value.source.http.map(({ path }) => path)).toEqual([["spec", "http", 1]]);
  expect(problems).toMatchObject([{ severity: "error", field: "spec.http[0].match" }]);
});
