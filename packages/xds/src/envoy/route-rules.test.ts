import { CorsPolicySchema } from "@envoyproxy/xds-protos/envoy/extensions/filters/http/cors/v3/cors_pb.js";
import { HTTPFaultSchema } from "@envoyproxy/xds-protos/envoy/extensions/filters/http/fault/v3/fault_pb.js";
import type { HttpRouteSchema } from "@keelson/protos/route";
import { expect, test } from "vitest";
import { bookinfo, ratings, reviews } from "./testing/bookinfo.ts";
import { aHostPolicy, aRouteTable } from "./testing/builders.ts";
import { actionOf, decoded, unpack } from "./testing/decoded.ts";
import { aProxy } from "./testing/proxies.ts";
import type { Init } from "./wire.ts";

type HttpRoute = Init<typeof HttpRouteSchema>;

const to = (subset: string, weight = 0) => ({ hostname: reviews, subset, weight });
const exact = (value: string) => ({ how: { case: "exact" as const, value } });

/** The routes to reviews under a rule with these routes. */
const routesWith = (http: HttpRoute[], proxy = aProxy()) =>
  decoded(
    { ...bookinfo, routeTables: [aRouteTable("VirtualService/default/reviews", { hosts: [reviews], http })] },
    proxy,
  ).virtualHost("9080", `${reviews}:9080`).routes;

const actionWith = (route: HttpRoute) => actionOf(routesWith([{ destinations: [to("v1")], ...route }])[0]);

test("without a rule requests go to all endpoints, tried twice more where that is safe, without a limit", () => {
  const [route] = decoded(bookinfo).virtualHost("9080", `${reviews}:9080`).routes;
  expect(route?.name).toBe("default");
  const action = actionOf(route);
  expect(action.clusterSpecifier.value).toBe(`outbound|9080||${reviews}`);
  expect(action.timeout).toMatchObject({ seconds: 0n, nanos: 0 });
  expect(action.maxStreamDuration?.grpcTimeoutHeaderMax).toMatchObject({ seconds: 0n });
  expect(action.retryPolicy).toMatchObject({
    numRetries: 2,
    retryOn: "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes",
    hostSelectionRetryMaxAttempts: 5n,
  });
  expect(action.retryPolicy?.retryHostPredicate[0]?.name).toBe("envoy.retry_host_predicates.previous_hosts");
});

test("weights are kept; what weighs nothing gets nothing", () => {
  const { clusterSpecifier } = actionWith({ destinations: [to("v1", 80), to("v2", 20), to("v3", 0)] });
  expect(clusterSpecifier).toMatchObject({
    case: "weightedClusters",
    value: { clusters: [{ name: `outbound|9080|v1|${reviews}`, weight: 80 }, { weight: 20 }] },
  });
});

test("without any weight all destinations get the same", () => {
  const { clusterSpecifier } = actionWith({ destinations: [to("v1"), to("v2")] });
  expect(clusterSpecifier.value).toMatchObject({ clusters: [{ weight: 1 }, { weight: 1 }] });
});

test("a match looks at path, method, authority, scheme, headers and query", () => {
  const [route] = routesWith([
    {
      matches: [
        {
          uri: { how: { case: "prefix", value: "/api" } },
          ignoreUriCase: true,
          method: exact("GET"),
          authority: exact("example.com"),
          scheme: exact("https"),
          headers: [
            { name: "x-b", value: exact("b"), invert: true },
            { name: "x-a", value: { how: { case: "regex", value: "a+" } } },
            { name: "x-c" },
          ],
          queryParameters: [{ name: "q", value: exact("1") }, { name: "p" }],
        },
      ],
      destinations: [to("v1")],
    },
  ]);
  const { match } = route ?? {};
  expect(match?.pathSpecifier).toEqual({ case: "prefix", value: "/api" });
  expect(match?.caseSensitive).toBe(false);
  expect(
    match?.headers.map(({ name, headerMatchSpecifier, invertMatch, treatMissingHeaderAsEmpty }) => [
      name,
      headerMatchSpecifier.case,
      invertMatch,
      treatMissingHeaderAsEmpty,
    ]),
  ).toEqual([
    ["x-a", "stringMatch", false, false],
    ["x-b", "stringMatch", true, true],
    ["x-c", "presentMatch", false, false],
    [":method", "stringMatch", false, false],
    [":authority", "stringMatch", false, false],
    [":scheme", "stringMatch", false, false],
  ]);
  expect(
    match?.queryParameters.map(({ name, queryParameterMatchSpecifier: { case: how } }) => [name, how]),
  ).toEqual([
    ["p", "presentMatch"],
    ["q", "stringMatch"],
  ]);
});

test("matches of one route are routes of their own, and none stands behind one that takes everything", () => {
  const routes = routesWith([
    { matches: [{ uri: exact("/a") }, { uri: exact("/b") }], destinations: [to("v1")] },
    { destinations: [to("v2")] },
    { matches: [{ uri: exact("/never") }], destinations: [to("v3")] },
  ]);
  expect(routes.map(({ match }) => match?.pathSpecifier.value)).toEqual(["/a", "/b", "/"]);
});

test("what is known of the caller is decided beforehand", () => {
  const http: HttpRoute[] = [
    { matches: [{ source: { labels: { app: "web" } } }], destinations: [to("v1")] },
    { matches: [{ source: { namespace: "shop" } }], destinations: [to("v2")] },
    { matches: [{ port: 80 }], destinations: [to("v2")] },
    { matches: [{ gateways: ["default/edge"] }], destinations: [to("v2")] },
    { destinations: [to("v3")] },
  ];
  const targets = (proxy: ReturnType<typeof aProxy>) =>
    routesWith(http, proxy).map((route) => actionOf(route).clusterSpecifier.value);
  expect(targets(aProxy({ metadata: { LABELS: { app: "web" } } }))).toEqual([`outbound|9080|v1|${reviews}`]);
  expect(targets(aProxy({ metadata: { LABELS: { app: "other" } } }))).toEqual([
    `outbound|9080|v3|${reviews}`,
  ]);
  expect(targets(aProxy({ metadata: { NAMESPACE: "shop" } }))).toEqual([`outbound|9080|v2|${reviews}`]);
});

test("a time limit stands alone: beside a duration of streams Envoy does not look at it", () => {
  const { timeout, maxStreamDuration } = actionWith({ timeoutMs: 2500n });
  expect(timeout).toMatchObject({ seconds: 2n, nanos: 500_000_000 });
  expect(maxStreamDuration).toBeUndefined();
});

test("retries as the rule says, status codes apart from conditions", () => {
  const { retryPolicy } = actionWith({
    retries: {
      attempts: 3,
      perTryTimeoutMs: 1000n,
      retryOn: "503, reset",
      retryRemoteLocalities: true,
      backoffMs: 25n,
    },
  });
  expect(retryPolicy).toMatchObject({
    numRetries: 3,
    retryOn: "reset,retriable-status-codes",
    retriableStatusCodes: [503],
    perTryTimeout: { seconds: 1n },
    retryBackOff: { baseInterval: { nanos: 25_000_000 } },
    retryPriority: { name: "envoy.retry_priorities.previous_priorities" },
  });
});

test("0 attempts are none", () => {
  expect(actionWith({ retries: { attempts: 0 } }).retryPolicy).toBeUndefined();
});

test("hashed requests are tried again at the same endpoint", () => {
  const policy = aHostPolicy("DestinationRule/default/reviews", {
    hostname: reviews,
    policy: { loadBalancer: { consistentHash: { key: { case: "httpHeaderName", value: "x-user" } } } },
  });
  const table = aRouteTable("VirtualService/default/reviews", {
    hosts: [reviews],
    http: [{ destinations: [to("")] }],
  });
  const { routes } = decoded({ ...bookinfo, routeTables: [table], hostPolicies: [policy] }).virtualHost(
    "9080",
    `${reviews}:9080`,
  );
  const { hashPolicy, retryPolicy } = actionOf(routes[0]);
  expect(hashPolicy[0]?.policySpecifier).toMatchObject({ case: "header", value: { headerName: "x-user" } });
  expect(retryPolicy?.retryHostPredicate).toEqual([]);
});

test("redirects keep the path where the rule has none, and leave out a scheme's own port", () => {
  const [first, second] = routesWith([
    { matches: [{ uri: exact("/a") }], redirect: { uri: "/new", authority: "example.com", code: 302 } },
    { redirect: { scheme: "https", port: 443, prefixRewrite: "/p", code: 308 } },
  ]);
  expect(first?.action).toMatchObject({
    case: "redirect",
    value: {
      hostRedirect: "example.com",
      pathRewriteSpecifier: { case: "pathRedirect", value: "/new" },
      responseCode: 1,
    },
  });
  expect(second?.action).toMatchObject({
    case: "redirect",
    value: {
      schemeRewriteSpecifier: { case: "schemeRedirect", value: "https" },
      portRedirect: 0,
      pathRewriteSpecifier: { case: "prefixRewrite", value: "/p" },
      responseCode: 4,
    },
  });
});

test("a redirect may keep the port that was dialled", () => {
  const [route] = routesWith([{ redirect: { uri: "/x", portFromRequest: true } }]);
  expect(route?.action.value).toMatchObject({ portRedirect: 9080 });
});

test("an answer of its own has status and body", () => {
  const [route] = routesWith([{ directResponse: { status: 418, body: new TextEncoder().encode("short") } }]);
  expect(route?.action).toMatchObject({
    case: "directResponse",
    value: { status: 418, body: { specifier: { case: "inlineBytes" } } },
  });
});

test("rewrites of path and authority", () => {
  expect(actionWith({ rewrite: { uri: "/new", authority: "example.com" } })).toMatchObject({
    prefixRewrite: "/new",
    hostRewriteSpecifier: { case: "hostRewriteLiteral", value: "example.com" },
  });
  expect(actionWith({ rewrite: { regex: "^/a(.*)$", substitution: "/b\\1" } }).regexRewrite).toMatchObject({
    pattern: { regex: "^/a(.*)$" },
    substitution: "/b\\1",
  });
});

test("a prefix of whole segments is taken away whole", () => {
  const uri = { how: { case: "prefix" as const, value: "/a.b" } };
  const { regexRewrite } = actionWith({ matches: [{ uri, wholeSegments: true }], rewrite: { uri: "/" } });
  expect(regexRewrite).toMatchObject({ pattern: { regex: "^/a\\.b(/?)(.*)" }, substitution: "/\\2" });
});

test("mirrors get their share, one of 0 % is none", () => {
  const { requestMirrorPolicies } = actionWith({
    mirrors: [
      { destination: to("v2"), percent: 12.5 },
      { destination: to("v3"), percent: 0 },
    ],
  });
  expect(requestMirrorPolicies).toHaveLength(1);
  expect(requestMirrorPolicies[0]).toMatchObject({
    cluster: `outbound|9080|v2|${reviews}`,
    runtimeFraction: { defaultValue: { numerator: 125_000 } },
  });
});

test("faults are the route's own configuration of the filter", () => {
  const [route] = routesWith([
    {
      destinations: [to("v1")],
      fault: { delayPercent: 10, delayMs: 100n, abortPercent: 5, grpcStatus: "UNAVAILABLE" },
    },
  ]);
  const fault = unpack(HTTPFaultSchema, route?.typedPerFilterConfig["envoy.filters.http.fault"]);
  expect(fault.delay).toMatchObject({ percentage: { numerator: 100_000 } });
  expect(fault.abort?.errorType).toEqual({ case: "grpcStatus", value: 14 });
});

test("CORS is the route's own configuration of the filter", () => {
  const [route] = routesWith([
    {
      destinations: [to("v1")],
      cors: {
        allowOrigins: [exact("https://example.com")],
        allowMethods: ["GET", "PUT"],
        maxAgeMs: 90_000n,
        allowCredentials: true,
      },
    },
  ]);
  expect(unpack(CorsPolicySchema, route?.typedPerFilterConfig["envoy.filters.http.cors"])).toMatchObject({
    allowMethods: "GET,PUT",
    maxAge: "90",
    allowCredentials: true,
    forwardNotMatchingPreflights: true,
  });
});

test("headers are set, added and removed; the Host header is a rewrite", () => {
  const routes = routesWith([
    {
      destinations: [{ ...to("v1"), responseHeaders: { remove: ["x-internal"] } }],
      requestHeaders: {
        set: { "x-b": "2", Host: "example.com" },
        add: { "x-a": "1" },
        remove: ["x-c", ":path"],
      },
    },
  ]);
  expect(routes[0]).toMatchObject({
    requestHeadersToAdd: [
      { header: { key: "x-b", value: "2" }, appendAction: 2 },
      { header: { key: "x-a", value: "1" }, appendAction: 0 },
    ],
    requestHeadersToRemove: ["x-c"],
    responseHeadersToRemove: ["x-internal"],
  });
  expect(actionOf(routes[0]).hostRewriteSpecifier.value).toBe("example.com");
});

test("istioctl finds the rule that a route comes from", () => {
  const [route] = routesWith([{ name: "first", matches: [{ name: "m" }], destinations: [to("v1")] }]);
  expect(route?.name).toBe("first.m");
  expect(route?.metadata?.filterMetadata["istio"]).toEqual({
    config: "/apis/networking.istio.io/v1alpha3/namespaces/default/virtual-service/reviews",
  });
});

test("of two tables for a host the first counts; a table for the very host comes before one with a wildcard", () => {
  const table = (name: string, hosts: string[], subset: string) =>
    aRouteTable(`VirtualService/default/${name}`, { hosts, http: [{ destinations: [to(subset)] }] });
  const resources = decoded({
    ...bookinfo,
    routeTables: [
      table("wild", ["*.default.svc.cluster.local"], "v1"),
      table("a", [reviews], "v2"),
      table("b", [reviews], "v3"),
    ],
  });
  const target = (host: string) =>
    actionOf(resources.virtualHost("9080", `${host}:9080`).routes[0]).clusterSpecifier.value;
  expect(target(reviews)).toBe(`outbound|9080|v2|${reviews}`);
  expect(target(ratings)).toBe(`outbound|9080|v1|${reviews}`);
});
