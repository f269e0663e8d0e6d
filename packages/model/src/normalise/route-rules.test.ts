import { expect, test } from "vitest";
import { type RouteRuleFields, readAs, routeRule, toVersion } from "../testing/manifests.ts";
import { normaliseRouteRule } from "./route-rules.ts";

const routeOf = (fields: RouteRuleFields) =>
  normaliseRouteRule(readAs("RouteRule", routeRule(fields)), "cluster.local");

test.each<[RouteRuleFields["destination"], string]>([
  ["reviews", "reviews.shop.svc.cluster.local"],
  [{ name: "reviews", namespace: "other" }, "reviews.other.svc.cluster.local"],
  [{ name: "reviews", domain: "example.com" }, "reviews.shop.example.com"],
  [{ service: "reviews.example.com" }, "reviews.example.com"],
])("%j is %s", (destination, hostname) => {
  expect(routeOf({ namespace: "shop", ...(destination && { destination }) }).hostname).toBe(hostname);
});

test("a rule says its own name", () => {
  const { http, tcp } = routeOf({ namespace: "shop", name: "canary" });
  expect([http?.rule, tcp?.rule]).toEqual(["RouteRule shop/canary", "RouteRule shop/canary"]);
});

test("a single destination gets everything, of requests and of connections", () => {
  const { http, tcp } = routeOf({ route: [toVersion("v1")] });
  const all = { hostname: "reviews.default.svc.cluster.local", labels: { version: "v1" }, weight: 100 };
  expect(http?.destinations).toMatchObject([all]);
  expect(tcp?.destinations).toMatchObject([all]);
});

test("destinations may be other services, with labels of their own", () => {
  const { http } = routeOf({
    namespace: "shop",
    route: [
      { destination: { name: "ratings", labels: { version: "v2" } }, weight: 60 },
      { destination: { name: "details", namespace: "other" }, labels: {}, weight: 40 },
    ],
  });
  expect(http?.destinations).toMatchObject([
    { hostname: "ratings.shop.svc.cluster.local", labels: { version: "v2" }, weight: 60 },
    { hostname: "details.other.svc.cluster.local", labels: {}, weight: 40 },
  ]);
});

test("a rule without a route leaves the choice as it is", () => {
  const { http, tcp } = routeOf({});
  expect(http?.destinations).toEqual([]);
  expect(tcp?.destinations).toMatchObject([{ hostname: "reviews.default.svc.cluster.local", labels: {} }]);
});

test("headers are matched in the order of their names; uri, method, scheme and authority are none", () => {
  const headers = {
    "x-b": { regex: "b.*" },
    uri: { prefix: "/a" },
    method: { exact: "GET" },
    scheme: { exact: "https" },
    authority: { exact: "reviews" },
    cookie: { exact: "c" },
  };
  const { http, tcp } = routeOf({ spec: { match: { request: { headers } } } });
  expect(http?.matches).toMatchObject([
    {
      uri: { how: { case: "prefix", value: "/a" } },
      method: { how: { case: "exact", value: "GET" } },
      scheme: { how: { case: "exact", value: "https" } },
      authority: { how: { case: "exact", value: "reviews" } },
      headers: [
        { name: "cookie", value: { how: { case: "exact", value: "c" } } },
        { name: "x-b", value: { how: { case: "regex", value: "b.*" } } },
      ],
    },
  ]);
  expect(tcp).toBeUndefined();
});

test("callers are matched for requests and connections", () => {
  const source = { name: "productpage", namespace: "shop", labels: { version: "v1" } };
  const expected = { hostname: "productpage.shop.svc.cluster.local", labels: { version: "v1" } };
  const { http, tcp } = routeOf({ spec: { match: { source } } });
  expect(http?.matches).toMatchObject([{ source: expected }]);
  expect(tcp?.matches).toMatchObject([{ source: expected }]);
});

test("addresses are matched for connections alone", () => {
  const tcp = { sourceSubnet: ["10.0.0.0/8"], destinationSubnet: ["10.1.0.0/16"] };
  const route = routeOf({ spec: { match: { tcp } } });
  expect(route.http).toBeUndefined();
  expect(route.tcp?.matches).toMatchObject([
    { sourceSubnets: ["10.0.0.0/8"], destinationSubnets: ["10.1.0.0/16"] },
  ]);
});

test("an empty match is none", () => {
  const { http, tcp } = routeOf({ spec: { match: {} } });
  expect([http?.matches, tcp?.matches]).toEqual([[], []]);
});

test.each([
  [{ rewrite: { uri: "/new", authority: "a.b" } }, { rewrite: { uri: "/new", authority: "a.b" } }],
  [{ websocketUpgrade: true }, { websocketUpgrade: true }],
  [{ httpReqTimeout: { simpleTimeout: { timeout: "1.5s" } } }, { timeoutMs: 1500n }],
  [
    { httpReqRetries: { simpleRetry: { attempts: 3, perTryTimeout: "200ms" } } },
    { retries: { attempts: 3, perTryTimeoutMs: 200n } },
  ],
  [
    {
      httpFault: {
        delay: { percent: 50, fixedDelay: "5s" },
        abort: { percent: 12.5, httpStatus: 503 },
      },
    },
    { fault: { delayPercent: 50, delayMs: 5000n, abortPercent: 12.5, httpStatus: 503 } },
  ],
])("%j is taken over", (spec, expected) => {
  expect(routeOf({ spec }).http).toMatchObject(expected);
});

test("a redirect has no destinations", () => {
  const { http } = routeOf({ spec: { redirect: { uri: "/new", authority: "a.b" } } });
  expect(http).toMatchObject({ redirect: { uri: "/new", authority: "a.b", code: 301 }, destinations: [] });
});

test("a timeout of 0 leaves the mesh's default, as in Pilot 0.2", () => {
  const spec = { httpReqTimeout: { simpleTimeout: { timeout: "0s" } } };
  expect(routeOf({ spec }).http).not.toHaveProperty("timeoutMs");
});
