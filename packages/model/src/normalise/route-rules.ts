import { create } from "@bufbuild/protobuf";
import type { ConnectionMatch, HttpMatch, SourceMatch, StringMatch } from "@keelson/protos/match";
import {
  ConnectionMatchSchema,
  HttpMatchSchema,
  SourceMatchSchema,
  StringMatchSchema,
} from "@keelson/protos/match";
import {
  type ConnectionRoute,
  ConnectionRouteSchema,
  type HttpRoute,
  HttpRouteSchema,
  type RouteDestination,
  RouteDestinationSchema,
} from "@keelson/protos/route";
import { describeObject, type Problem, problemOf } from "../config-object.ts";
import { durationMs } from "../kinds/fields.ts";
import type { RouteRuleObject } from "../kinds/index.ts";
import type { IstioService, RouteRuleSpec } from "../kinds/route-rule.ts";
import type { Normalised } from "./normalised.ts";
import { serviceHostname } from "./services.ts";

/** What a RouteRule says to the requests and to the connections of one host. */
export interface HostRoute {
  readonly hostname: string;
  readonly object: RouteRuleObject;
  /** Absent: it looks at what only connections have. */
  readonly http?: HttpRoute;
  /** Absent: it looks at what only requests have. */
  readonly tcp?: ConnectionRoute;
}

/** Istio 0.2 puts these among the headers. */
const pseudoHeaders = new Set(["uri", "method", "scheme", "authority"]);

/** @param object passed checkRouteRule */
export function normaliseRouteRule(object: RouteRuleObject, domain: string): Normalised<HostRoute> {
  const { spec } = object.body;
  const hostname = istioServiceHostname(spec.destination, object.metadata.namespace, domain);
  const connection = connectionMatches(spec, object, domain);
  const route: HostRoute = {
    hostname,
    object,
    ...(connection.addresses ? {} : { http: httpRoute(object, hostname, domain) }),
    ...(spec.match?.request === undefined
      ? { tcp: tcpRoute(object, hostname, connection.matches, domain) }
      : {}),
  };
  return { value: route, problems: unsupported(object) };
}

/** The full hostname that name, namespace and domain stand for; the rule's own namespace is the default. */
export function istioServiceHostname(service: IstioService, ruleNamespace: string, domain: string): string {
  if (service.service !== undefined) return service.service;
  const { name = "", namespace = ruleNamespace } = service;
  return service.domain === undefined
    ? serviceHostname(name, namespace, domain)
    : `${name}.${namespace}.${service.domain}`;
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
  const headers = match?.request?.headers ?? {};
  const names = Object.keys(headers).sort();
  if (names.length === 0 && match?.source === undefined) return [];
  const pseudo = names.filter((name) => pseudoHeaders.has(name));
  return [
    create(HttpMatchSchema, {
      ...Object.fromEntries(pseudo.map((name) => [name, stringMatch(headers[name])])),
      headers: names
        .filter((name) => !pseudoHeaders.has(name))
        .map((name) => ({ name, value: stringMatch(headers[name]) })),
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

function stringMatch(
  match: { exact?: string | undefined; prefix?: string | undefined; regex?: string | undefined } = {},
): StringMatch {
  const { exact, prefix, regex } = match;
  if (exact !== undefined) return create(StringMatchSchema, { how: { case: "exact", value: exact } });
  if (prefix !== undefined) return create(StringMatchSchema, { how: { case: "prefix", value: prefix } });
  return create(StringMatchSchema, { how: { case: "regex", value: regex ?? "" } });
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

/** What Pilot 0.2 took and did nothing with, and neither do we. */
function unsupported(object: RouteRuleObject): Problem[] {
  const { httpReqTimeout, httpReqRetries, httpFault, l4Fault } = object.body.spec;
  const fields: [string, unknown][] = [
    ["httpReqTimeout.simpleTimeout.overrideHeaderName", httpReqTimeout?.simpleTimeout.overrideHeaderName],
    ["httpReqRetries.simpleRetry.overrideHeaderName", httpReqRetries?.simpleRetry.overrideHeaderName],
    ["httpFault.delay.exponentialDelay", httpFault?.delay?.exponentialDelay],
    ["httpFault.delay.overrideHeaderName", httpFault?.delay?.overrideHeaderName],
    ["httpFault.abort.http2Error", httpFault?.abort?.http2Error],
    ["httpFault.abort.overrideHeaderName", httpFault?.abort?.overrideHeaderName],
    ["l4Fault", l4Fault],
  ];
  return fields
    .filter(([, value]) => value !== undefined)
    .map(([field]) =>
      problemOf("warning", object, ["spec", ...field.split(".")], "has no effect: it is not supported"),
    );
}
