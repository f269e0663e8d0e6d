import { create } from "@bufbuild/protobuf";
import {
  type ConnectionRoute,
  ConnectionRouteSchema,
  type HttpRoute,
  HttpRouteSchema,
  type RouteDestination,
  RouteDestinationSchema,
  RouteTableSchema,
} from "@keelson/protos/route";
import { describeObject, type FieldPath, type Problem, problemOf } from "../config-object.ts";
import { durationMs } from "../kinds/fields.ts";
import type { VirtualServiceObject } from "../kinds/index.ts";
import type { Destination } from "../kinds/istio-fields.ts";
import type {
  VirtualServiceHttpRoute,
  VirtualServiceTcpRoute,
  VirtualServiceTlsRoute,
} from "../kinds/virtual-service.ts";
import { meshGateway, type RouteOrigin, type RouteSource } from "../model.ts";
import { resolveExportTo, resolveGateway, resolveHost } from "./hosts.ts";
import type { Normalised } from "./normalised.ts";
import {
  corsOf,
  directResponseOf,
  faultOf,
  headersOf,
  mirrorsOf,
  redirectOf,
  retriesOf,
  rewriteOf,
} from "./virtual-service-actions.ts";
import { httpMatch, isClaim, tcpMatch, tlsMatch } from "./virtual-service-matches.ts";

/** What one VirtualService says by itself. */
export interface VirtualServiceParts {
  readonly source: RouteSource;
  /** Index of an http route → "namespace/name" of the VirtualService that decides in its place. */
  readonly delegates: ReadonlyMap<number, string>;
}

/** @param object passed checkVirtualService; one without hosts is a delegate */
export function normaliseVirtualService(
  object: VirtualServiceObject,
  domain: string,
): Normalised<VirtualServiceParts> {
  const { spec } = object.body;
  const { name, namespace } = object.metadata;
  const context: Context = {
    rule: describeObject(object),
    namespace,
    resolve: (destination) => destinationOf(destination, namespace, domain),
  };
  const problems: Problem[] = [];
  const http = spec.http.flatMap((route, i) => {
    const claims = claimsOf(route);
    if (claims.length === 0) {
      const { name: other = "", namespace: home = namespace } = route.delegate ?? {};
      const delegate = route.delegate === undefined ? undefined : `${home}/${other}`;
      return [{ route: httpRoute(route, context), path: ["spec", "http", i], delegate }];
    }
    // Without the condition, the route would take more than it is meant for.
    const text = `${claims.join(", ")}: claims of tokens are not matched yet; the route is left out`;
    problems.push(problemOf("error", object, ["spec", "http", i, "match"], text));
    return [];
  });
  const table = create(RouteTableSchema, {
    name: `VirtualService/${namespace}/${name}`,
    namespace,
    hosts: spec.hosts.map((host) => resolveHost(host, namespace, domain)),
    gateways: (spec.gateways.length === 0 ? [meshGateway] : spec.gateways).map((gateway) =>
      resolveGateway(gateway, namespace),
    ),
    exportedTo: resolveExportTo(spec.exportTo, namespace),
    http: http.map(({ route }) => route),
    tcp: spec.tcp.map((route) => tcpRoute(route, context)),
    tls: spec.tls.map((route) => tlsRoute(route, context)),
  });
  const originAt = (path: FieldPath): RouteOrigin => ({ object, path, precedence: 0 });
  const source = {
    table,
    http: http.map(({ path }) => originAt(path)),
    tcp: spec.tcp.map((_, i) => originAt(["spec", "tcp", i])),
    tls: spec.tls.map((_, i) => originAt(["spec", "tls", i])),
  };
  const delegates = new Map(
    http.flatMap(({ delegate }, i) => (delegate === undefined ? [] : [[i, delegate] as const])),
  );
  return { value: { source, delegates }, problems };
}

interface Context {
  readonly rule: string;
  readonly namespace: string;
  readonly resolve: (destination: Destination) => RouteDestination;
}

const claimsOf = ({ match }: VirtualServiceHttpRoute): string[] =>
  match.flatMap((one) => Object.keys({ ...one.headers, ...one.withoutHeaders }).filter(isClaim));

function httpRoute(written: VirtualServiceHttpRoute, { rule, namespace, resolve }: Context): HttpRoute {
  const { redirect, directResponse, rewrite, retries, fault, corsPolicy, timeout } = written;
  return create(HttpRouteSchema, {
    name: written.name ?? "",
    rule,
    matches: written.match.map((match) => httpMatch(match, namespace)),
    destinations: written.route.map(({ destination, weight, headers }) => ({
      ...resolve(destination),
      weight,
      ...headersOf(headers),
    })),
    ...(redirect && { redirect: redirectOf(redirect) }),
    ...(directResponse && { directResponse: directResponseOf(directResponse) }),
    ...(rewrite && { rewrite: rewriteOf(rewrite) }),
    ...(timeout !== undefined && { timeoutMs: durationMs(timeout) }),
    ...(retries && { retries: retriesOf(retries) }),
    ...(fault && { fault: faultOf(fault) }),
    mirrors: mirrorsOf(written, resolve),
    ...(corsPolicy && { cors: corsOf(corsPolicy) }),
    ...headersOf(written.headers),
  });
}

function tcpRoute({ match, route }: VirtualServiceTcpRoute, context: Context): ConnectionRoute {
  return create(ConnectionRouteSchema, {
    rule: context.rule,
    matches: match.map((one) => tcpMatch(one, context.namespace)),
    destinations: route.map(({ destination, weight }) => ({ ...context.resolve(destination), weight })),
  });
}

function tlsRoute({ match, route }: VirtualServiceTlsRoute, context: Context): ConnectionRoute {
  return create(ConnectionRouteSchema, {
    rule: context.rule,
    matches: match.map((one) => tlsMatch(one, context.namespace)),
    destinations: route.map(({ destination, weight }) => ({ ...context.resolve(destination), weight })),
  });
}

function destinationOf(
  { host, subset, port }: Destination,
  namespace: string,
  domain: string,
): RouteDestination {
  return create(RouteDestinationSchema, {
    hostname: resolveHost(host, namespace, domain),
    subset: subset ?? "",
    port: port?.number ?? 0,
  });
}
