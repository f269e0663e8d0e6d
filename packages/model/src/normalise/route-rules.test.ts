import { expect, test } from "vitest";
import { type RouteRuleFields, readAs, routeRule, toVersion } from "../testing/manifests.ts";
import { normaliseRouteRule } from "./route-rules.ts";

const normalise = (fields: RouteRuleFields) =>
  normaliseRouteRule(readAs("RouteRule", routeRule(fields)), "cluster.local");

test.each<[RouteRuleFields["destination"], string]>([
  ["reviews", "reviews.shop.svc.cluster.local"],
  [{ name: "reviews", namespace: "other" }, "reviews.other.svc.cluster.local"],
  [{ name: "reviews", domain: "example.com" }, "reviews.shop.example.com"],
  [{ service: "reviews.example.com" }, "reviews.example.com"],
])("%j is %s", (destination, hostname) => {
  expect(normalise({ namespace: "shop", ...(destination && { destination }) }).hostname).toBe(hostname);
});

test("a single destination gets everything", () => {
  expect(normalise({ route: [toVersion("v1")] }).route.destinations).toEqual([
    { hostname: "reviews.default.svc.cluster.local", labels: { version: "v1" }, weight: 100 },
  ]);
});

test("destinations may be other services, with labels of their own", () => {
  const { route } = normalise({
    namespace: "shop",
    route: [
      { destination: { name: "ratings", labels: { version: "v2" } }, weight: 60 },
      { destination: { name: "details", namespace: "other" }, labels: {}, weight: 40 },
    ],
  });
  expect(route.destinations).toEqual([
    { hostname: "ratings.shop.svc.cluster.local", labels: { version: "v2" }, weight: 60 },
    { hostname: "details.other.svc.cluster.local", labels: {}, weight: 40 },
  ]);
});

test("a rule without a route leaves the choice as it is", () => {
  expect(normalise({}).route).not.toHaveProperty("destinations");
});

test("conditions are named: parts of the request, callers, addresses", () => {
  const match = {
    request: { headers: { uri: { prefix: "/a" }, cookie: { exact: "b" } } },
    source: { name: "productpage", namespace: "shop", labels: { version: "v1" } },
    tcp: { sourceSubnet: ["10.0.0.0/8"], destinationSubnet: ["10.1.0.0/16"] },
  };
  expect(normalise({ spec: { match } }).route.conditions).toEqual({
    request: ["header cookie", "uri"],
    source: "productpage.shop version=v1",
    addresses: "from 10.0.0.0/8, to 10.1.0.0/16",
  });
  expect(normalise({ spec: { match: {} } }).route.conditions).toEqual({ request: [] });
});

test.each([
  ["redirect", { uri: "/" }],
  ["rewrite", { uri: "/" }],
  ["websocketUpgrade", true],
  ["httpReqTimeout", { simpleTimeout: { timeout: "1s" } }],
  ["httpReqRetries", { simpleRetry: { attempts: 3 } }],
  ["httpFault", { abort: { percent: 10, httpStatus: 503 } }],
  ["l4Fault", { throttle: {} }],
])("%s is a feature", (field, value) => {
  const { route } = normalise({ spec: { [field]: value } });
  expect(route.features.map((feature) => feature.field)).toEqual([`spec.${field}`]);
});

test("websocketUpgrade: false asks for nothing", () => {
  expect(normalise({ spec: { websocketUpgrade: false } }).route.features).toEqual([]);
});
