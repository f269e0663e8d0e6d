import { HTTPFaultSchema } from "@envoyproxy/xds-protos/envoy/extensions/filters/http/fault/v3/fault_pb.js";
import { FractionalPercent_DenominatorType as Denominator } from "@envoyproxy/xds-protos/envoy/type/v3/percent_pb.js";
import { ApplicationProtocol as Protocol } from "@keelson/protos/policy";
import { expect, test } from "vitest";
import { aRouteTable, aService, aSidecarScope, type IrParts } from "../envoy/testing/builders.ts";
import { actionOf, unpack } from "../envoy/testing/decoded.ts";
import { decoded, echo, echoMesh } from "./testing/grpc-world.ts";

const routesName = `outbound|7070||${echo}`;
const to = (...shares: [subset: string, weight: number][]) =>
  shares.map(([subset, weight]) => ({ hostname: echo, subset, weight }));

type Http = NonNullable<Parameters<typeof aRouteTable>[1]["http"]>;

/** The routes that a rule for echo becomes. */
function routesOf(http: Http) {
  const table = aRouteTable("VirtualService/default/echo", { hosts: [echo], http });
  const { virtualHosts } = decoded({ ...echoMesh, routeTables: [table] }).routes(routesName);
  expect(virtualHosts).toHaveLength(1);
  return virtualHosts[0]?.routes ?? [];
}

test("a service has one virtual host, for each of its names with and without the port", () => {
  const { virtualHosts } = decoded().routes(routesName);
  expect(virtualHosts).toMatchObject([{ name: `${echo}:7070`, routes: [{ name: "default" }] }]);
  const names = [echo, `${echo}.`, "echo", "echo.default", "echo.default.svc", "10.96.0.1"];
  expect(virtualHosts[0]?.domains).toEqual(names.flatMap((domain) => [domain, `${domain}:7070`]));
});

test.for([
  `outbound|7071||${echo}`,
  "outbound|7070||ping.default.svc.cluster.local",
  `inbound|7070||${echo}`,
  "7070",
  "",
])("routes %s, which lead nowhere, are empty", (unknown) => {
  expect(decoded().routes(unknown)).toMatchObject({ name: unknown, virtualHosts: [] });
});

test("ports that do not speak HTTP have no routes", () => {
  const ports = [{ port: 7070, applicationProtocol: Protocol.TCP }];
  expect(decoded({ services: [aService("echo", { ports })] }).routes(routesName).virtualHosts).toEqual([]);
});

test("hosts beside the service that a rule is for do not matter", () => {
  const http = [{ destinations: to(["v1", 1]) }];
  const table = aRouteTable("VirtualService/default/all", { hosts: [echo, "other.test", "*.test"], http });
  expect(decoded({ ...echoMesh, routeTables: [table] }).routes(routesName).virtualHosts).toHaveLength(1);
});

test("weights are those of the rule", () => {
  const [route] = routesOf([{ destinations: to(["v1", 30], ["v2", 70]) }]);
  expect(actionOf(route).clusterSpecifier).toMatchObject({
    case: "weightedClusters",
    value: {
      clusters: [
        { name: `outbound|7070|v1|${echo}`, weight: 30 },
        { name: `outbound|7070|v2|${echo}`, weight: 70 },
      ],
    },
  });
});

test("a rule's time limit is the longest that a caller may ask for", () => {
  const [route] = routesOf([{ destinations: to(["v1", 1]), timeoutMs: 1500n }]);
  const limit = { seconds: 1n, nanos: 500_000_000 };
  expect(actionOf(route)).toMatchObject({ maxStreamDuration: { grpcTimeoutHeaderMax: limit } });
});

test("a path of whole segments is a regular expression, as gRPC refuses it otherwise", () => {
  const matches = [{ uri: { how: { case: "prefix", value: "/a.B" } }, wholeSegments: true }] as const;
  const [route] = routesOf([{ matches: [...matches], destinations: to(["v1", 1]) }]);
  expect(route?.match?.pathSpecifier).toMatchObject({
    case: "safeRegex",
    value: { regex: "/a\\.B(?:/.*)?" },
  });
});

test("a rule for browsers is left out, a fault stays", () => {
  const cors = { allowOrigins: [{ how: { case: "exact", value: "https://a" } }] } as const;
  const fault = { abortPercent: 10, httpStatus: 503 };
  const [route] = routesOf([
    { destinations: to(["v1", 1]), cors: { ...cors, allowOrigins: [...cors.allowOrigins] }, fault },
  ]);
  expect(Object.keys(route?.typedPerFilterConfig ?? {})).toEqual(["envoy.filters.http.fault"]);
});

test.for([
  ["an answer of 404", { directResponse: { status: 404 } }, 12],
  ["an answer of 418", { directResponse: { status: 418 } }, 2],
  ["a redirect", { redirect: { uri: "/elsewhere" } }, 2],
] as const)("%s is the status that gRPC makes of it", ([, http, status]) => {
  const [route] = routesOf([http]);
  expect(actionOf(route).clusterSpecifier).toEqual({ case: "cluster", value: routesName });
  const fault = unpack(HTTPFaultSchema, route?.typedPerFilterConfig["envoy.filters.http.fault"]);
  expect(fault.abort).toMatchObject({
    errorType: { case: "grpcStatus", value: status },
    percentage: { numerator: 1_000_000, denominator: Denominator.MILLION },
  });
});

test("regular expressions are held against the whole text", () => {
  const regex = (value: string) => ({ how: { case: "regex" as const, value } });
  const matches = [{ uri: regex("/a|/b"), headers: [{ name: "x", value: regex("1|2") }] }];
  const [route] = routesOf([{ matches, destinations: to(["v1", 1]) }]);
  expect(route?.match).toMatchObject({
    pathSpecifier: { value: { regex: "(?:/a|/b)" } },
    headers: [{ headerMatchSpecifier: { value: { matchPattern: { value: { regex: "(?:1|2)" } } } } }],
  });
});

test.for([
  ["the method POST, which all calls have,", { method: { how: { case: "exact", value: "POST" } } }, true],
  ["a method that begins with P", { method: { how: { case: "prefix", value: "P" } } }, true],
  ["the method GET", { method: { how: { case: "exact", value: "GET" } } }, false],
  ["a query, which no call has,", { queryParameters: [{ name: "q" }] }, false],
] as const)("a condition for %s is settled", ([, match, holds]) => {
  const destinations = to(["v1", 1]);
  const routes = routesOf([{ name: "ruled", matches: [match as never], destinations }, { destinations }]);
  expect(routes.map(({ name }) => name)).toEqual(holds ? ["ruled", ""] : [""]);
  expect(routes[0]?.match?.headers).toEqual([]);
});

test("'not this value' is another value, or none at all", () => {
  const value = { how: { case: "exact", value: "no" } } as const;
  const headers = [
    { name: "a", value, invert: true },
    { name: "b", value, invert: false },
  ];
  const routes = routesOf([{ matches: [{ headers }], destinations: to(["v1", 1]) }]);
  const summaries = routes.map(({ match }) =>
    match?.headers.map(({ name, invertMatch, headerMatchSpecifier }) =>
      [invertMatch ? "not" : "", name, headerMatchSpecifier.case].filter(Boolean).join(" "),
    ),
  );
  expect(summaries).toEqual([
    ["not a stringMatch", "b stringMatch"],
    ["not a presentMatch", "b stringMatch"],
  ]);
});

test("rules count as far as the Sidecar of the namespace lets them be seen", () => {
  const http = [{ name: "ruled", destinations: to(["v1", 1]) }];
  const table = aRouteTable("VirtualService/shop/echo", { hosts: [echo], http });
  const scope = aSidecarScope("default/s", { egress: [{ hosts: ["default/*"] }] });
  const mesh = { ...echoMesh, routeTables: [table] };
  const routes = (parts: IrParts) => decoded(parts).routes(routesName).virtualHosts[0]?.routes;
  expect(routes(mesh)).toMatchObject([{ name: "ruled" }]);
  expect(routes({ ...mesh, sidecarScopes: [scope] })).toMatchObject([{ name: "default" }]);
});
