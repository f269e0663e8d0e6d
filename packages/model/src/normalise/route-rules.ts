import { create } from "@bufbuild/protobuf";
import type { ConnectionMatch, HttpMatch, SourceMatch } from "@keelson/protos/match";
import { ConnectionMatchSchema, HttpMatchSchema, SourceMatchSchema } from "@keelson/protos/match";
import {
  type ConnectionRoute,
  ConnectionRouteSchema,
  type HttpRoute,
  HttpRouteSchema,
  type RouteDestination,
  RouteDestinationSchema,
} from "@keelson/protos/route";
import { describeObject } from "../config-object.ts";
import { durationMs } from "../kinds/fields.ts";
import type { RouteRuleObject } from "../kinds/index.ts";
import type { IstioService } from "../kinds/istio-service.ts";
import type { RouteRuleSpec } from "../kinds/route-rule.ts";
import { istioServiceHostname } from "./hosts.ts";
import { definedMatches, headerMatch, sortedEntries } from "./string-match.ts";

/** What a RouteRule says to the requests and to the connections of one host. */
export interface HostRoute {
  readonly hostname: string;
  readonly object: RouteRuleObject;
  /** Absent: it looks at what only connections have. */
  readonly http?: HttpRoute;
  /** Absent: it looks at what only requests have. */
  readonly tcp?: ConnectionRoute;
}

/** @param object passed checkRouteRule */
export function normaliseRouteRule(object: RouteRuleObject, domain: string): HostRoute {
  const { spec } = object.body;
  const hostname = istioServiceHostname(spec.destination, object.metadata.namespace, domain);
  const connection = connectionMatches(spec, object, domain);
  return {
    hostname,
    object,
    ...(connection.addresses ? {} : { http: httpRoute(object, hostname, domain) }),
    ...(spec.match?.request === undefined
      ? { tcp: tcpRoute(object, hostname, connection.matches, domain) }
      : {}),
  };
}

function httpRoute(object: RouteRuleObject, hostname: string, domain: string): HttpRoute {
  const { spec } = object.body;
  const { redirect, rewrite, httpFault, httpReqRetries, httpReqTimeout } = spec;
  const retry = httpReqRetries?.simpleRetry;
  const timeoutMs = durationMs(httpReqTimeout?.simpleTimeout.timeout ?? "0s");
  return create(HttpRouteSchema, {
    rule: describeObject(object),
    matches: httpMatches(object, domain),
    destinations: redirect === undefined ? destinationsOf(object, hostname, domain) : [],
    ...(redirect && {
      redirect: { uri: redirect.uri ?? "", authority: redirect.authority ?? "", code: 301 },
    }),
    ...(rewrite && { rewrite: { uri: rewrite.uri ?? "", authority: rewrite.authority ?? "" } }),
    // 0 is as good as no timeout here: what stands in the mesh's default counts.
    ...(timeoutMs > 0n && { timeoutMs: timeoutMs }),
    ...(retry && { retries: { attempts: retry.attempts, perTryTimeoutMs: wholeMs(retry.perTryTimeout) } }),
    ...(httpFault && { fault: faultOf(httpFault) }),
    websocketUpgrade: spec.websocketUpgrade,
  });
}

function tcpRoute(
  object: RouteRuleObject,
  hostname: string,
  matches: ConnectionMatch[],
  domain: string,
): ConnectionRoute {
  const destinations = destinationsOf(object, hostname, domain);
  return create(ConnectionRouteSchema, {
    rule: describeObject(object),
    matches,
    destinations: destinations.length > 0 ? destinations : [create(RouteDestinationSchema, { hostname })],
  });
}

function destinationsOf(object: RouteRuleObject, hostname: string, domain: string): RouteDestination[] {
  const { route } = object.body.spec;
  return route.map(({ destination, labels, weight }) =>
    create(RouteDestinationSchema, {
      hostname:
        destination === undefined
          ? hostname
          : istioServiceHostname(destination, object.metadata.namespace, domain),
      labels: labels ?? destination?.labels ?? {},
      // A single route may leave its weight out.
      weight: route.length === 1 ? 100 : weight,
    }),
  );
}

function httpMatches(object: RouteRuleObject, domain: string): HttpMatch[] {
  const { match } = object.body.spec;
  const written = match?.request?.headers ?? {};
  if (Object.keys(written).length === 0 && match?.source === undefined) return [];
  const { uri, method, scheme, authority, ...headers } = written;
  return [
    create(HttpMatchSchema, {
      // Istio 0.2 puts these among the headers.
      ...definedMatches({ uri, method, scheme, authority }),
      headers: sortedEntries(headers).map(([name, header]) => headerMatch(name, header)),
      ...(match?.source && { source: sourceMatch(match.source, object.metadata.namespace, domain) }),
    }),
  ];
}

function connectionMatches(
  { match }: RouteRuleSpec,
  object: RouteRuleObject,
  domain: string,
): { matches: ConnectionMatch[]; addresses: boolean } {
  const parts = [match?.tcp, match?.udp].filter((part) => part !== undefined);
  const source = match?.source && sourceMatch(match.source, object.metadata.namespace, domain);
  if (parts.length === 0 && source === undefined) return { matches: [], addresses: false };
  const matches = (parts.length === 0 ? [{}] : parts).map((part: (typeof parts)[number]) =>
    create(ConnectionMatchSchema, {
      sourceSubnets: part.sourceSubnet ?? [],
      destinationSubnets: part.destinationSubnet ?? [],
      ...(source && { source }),
    }),
  );
  return { matches, addresses: parts.length > 0 };
}

function sourceMatch(source: IstioService, ruleNamespace: string, domain: string): SourceMatch {
  return create(SourceMatchSchema, {
    hostname: istioServiceHostname(source, ruleNamespace, domain),
    labels: source.labels ?? {},
  });
}

type HttpFault = NonNullable<RouteRuleSpec["httpFault"]>;

function faultOf({ delay, abort }: HttpFault) {
  return {
    delayPercent: delay?.percent ?? 0,
    delayMs: wholeMs(delay?.fixedDelay),
    abortPercent: abort?.percent ?? 0,
    httpStatus: abort?.httpStatus ?? 0,
    grpcStatus: abort?.grpcStatus ?? "",
  };
}

const wholeMs = (text: string | undefined): bigint => durationMs(text ?? "0s");
