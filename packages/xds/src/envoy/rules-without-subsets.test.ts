import { expect, test } from "vitest";
import { bookinfo, ratings, reviews } from "./testing/bookinfo.ts";
import { aHostPolicy, aRouteTable } from "./testing/builders.ts";
import { actionOf, decoded } from "./testing/decoded.ts";
import { aProxy } from "./testing/proxies.ts";

const table = aRouteTable(`RouteRule/${reviews}`, {
  namespace: "default",
  hosts: [reviews],
  http: [
    {
      matches: [{ source: { hostname: ratings } }],
      destinations: [{ hostname: reviews, labels: { version: "v2" } }],
    },
    { matches: [{ uri: { how: { case: "exact", value: "/plain" } } }] },
    { destinations: [{ hostname: reviews, labels: { version: "v1" }, weight: 1 }] },
  ],
});
const routesFor = (proxy = aProxy()) =>
  decoded({ ...bookinfo, routeTables: [table] }, proxy)
    .virtualHost("9080", `${reviews}:9080`)
    .routes.map((route) => actionOf(route).clusterSpecifier.value);

test("labels of a RouteRule are a cluster of their own, with the endpoints that have them", () => {
  const resources = decoded({ ...bookinfo, routeTables: [table] });
  const name = `outbound|9080|version=v1|${reviews}`;
  expect(resources.cluster(name).edsClusterConfig?.serviceName).toBe(name);
  expect(resources.endpoints(name).endpoints[0]?.lbEndpoints).toHaveLength(1);
});

test("a route without a destination leads where it would without rules", () => {
  expect(routesFor()).toEqual([`outbound|9080||${reviews}`, `outbound|9080|version=v1|${reviews}`]);
});

test("a match may name the service that calls", () => {
  const proxy = aProxy({ id: "sidecar~10.244.1.9~ratings-v1.default~default.svc.cluster.local" });
  expect(routesFor(proxy)[0]).toBe(`outbound|9080|version=v2|${reviews}`);
});

test("a policy for the same labels counts for their cluster", () => {
  const policy = aHostPolicy("DestinationPolicy/default/reviews", {
    hostname: reviews,
    subsets: [{ labels: { version: "v1" }, policy: { connectionPool: { maxConnections: 7 } } }],
  });
  const resources = decoded({ ...bookinfo, routeTables: [table], hostPolicies: [policy] });
  const limit = (name: string) => resources.cluster(name).circuitBreakers?.thresholds[0]?.maxConnections;
  expect(limit(`outbound|9080|version=v1|${reviews}`)).toBe(7);
  expect(limit(`outbound|9080||${reviews}`)).toBe(0xffff_ffff);
});

test("a policy may be for the callers of one service only", () => {
  const policy = aHostPolicy("DestinationPolicy/default/reviews", {
    hostname: reviews,
    callerHostname: ratings,
    policy: { connectionPool: { maxConnections: 7 } },
  });
  const limit = (id: string) =>
    decoded({ ...bookinfo, hostPolicies: [policy] }, aProxy({ id })).cluster(`outbound|9080||${reviews}`)
      .circuitBreakers?.thresholds[0]?.maxConnections;
  expect(limit("sidecar~10.244.1.9~ratings-v1.default~default.svc.cluster.local")).toBe(7);
  expect(limit("sidecar~10.244.0.2~client.default~default.svc.cluster.local")).toBe(0xffff_ffff);
});
