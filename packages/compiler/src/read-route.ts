import { formatPath, type RouteOrigin, type RouteSource, type ServicePort } from "@keelson/model";
import type { ConnectionRoute, HttpRoute, RouteDestination } from "@keelson/protos/route";
import { type Conditions, conditionsAt, settledMatches } from "./conditions.ts";
import type { RuleExplanation } from "./explanation.ts";
import { isHttp } from "./protocols.ts";
import { featuresOf, type RouteFeature } from "./route-features.ts";
import type { Scene } from "./scene.ts";

/** A route as one port sees it; its state says whether its destinations count where a connection is decided once. */
export interface ResolvedRule extends RuleExplanation {
  readonly field: string;
  readonly origin: RouteOrigin;
  readonly isHttpRoute: boolean;
  /** It concerns the port, and nothing before it takes everything. */
  readonly isAsked: boolean;
  readonly conditions: Conditions;
  /** The route with what is left of its matches for callers that dial the port. */
  readonly route: HttpRoute | ConnectionRoute;
  readonly features: readonly RouteFeature[];
  readonly destinations: readonly RouteDestination[];
}

export interface RouteAt {
  readonly route: HttpRoute | ConnectionRoute;
  readonly origin: RouteOrigin;
  /** Why routes of its list mean nothing to the port. */
  readonly unfit?: string;
}

/**
 * The routes of a table in the order in which they are asked for a port: http routes for HTTP; tls, then tcp routes for
 * all else. A port whose protocol is not said is taken for HTTP where the table has nothing but http routes.
 */
export function routesAt({ table, http, tcp, tls }: RouteSource, port: ServicePort): RouteAt[] {
  const sniffed = port.protocol === "unknown" && table.tcp.length + table.tls.length === 0;
  const requests = listed(table.http, http);
  const connections = [...listed(table.tls, tls), ...listed(table.tcp, tcp)];
  const what = `the port's protocol is ${port.protocol}`;
  if (isHttp(port) || sniffed) {
    return [...requests, ...otherRules(connections, requests, `is for TCP connections, and ${what}`)];
  }
  const own = connections.map((at) =>
    // Istio routes no datagrams but for RouteRules, of which 0.2 knew a match.udp.
    port.transport === "UDP" && !isRouteRule(at) ? { ...at, unfit: `is for TCP, and ${what}` } : at,
  );
  return [...own, ...otherRules(requests, own, `matches on requests, and ${what}`)];
}

const isRouteRule = ({ origin }: RouteAt): boolean => origin.object.kind === "RouteRule";

/** Routes that mean nothing to a port; a RouteRule that is in both lists is there already. */
function otherRules(others: readonly RouteAt[], own: readonly RouteAt[], unfit: string): RouteAt[] {
  const objects = new Set(own.map(({ origin }) => origin.object));
  return others
    .filter((at) => !isRouteRule(at) || !objects.has(at.origin.object))
    .map((at) => ({ ...at, unfit }));
}

function listed(
  routes: readonly (HttpRoute | ConnectionRoute)[],
  origins: readonly RouteOrigin[],
): RouteAt[] {
  return routes.flatMap((route, i) => {
    const origin = origins[i];
    return origin === undefined ? [] : [{ route, origin }];
  });
}

const noConditions: Conditions = { request: [], source: [], addresses: [], serverNames: [] };

/** @param exportedTo namespaces that see the route's table; empty: all */
export function readRoute(
  scene: Scene,
  { route, origin, unfit }: RouteAt,
  port: ServicePort,
  exportedTo: readonly string[],
): ResolvedRule {
  const isHttpRoute = route.$typeName === "keelson.policy.v1.HttpRoute";
  const conditions = conditionsAt(route.matches, port.port);
  const features = isHttpRoute ? featuresOf(route, origin) : [];
  const head = {
    rule: route.rule,
    field: formatPath(origin.path),
    precedence: origin.precedence,
    origin,
    isHttpRoute,
    conditions: conditions ?? noConditions,
    route: settled(scene, route, port),
    features,
    destinations: route.destinations,
  };
  const aside = unfit ?? (conditions === undefined ? whyNever(route) : whyNotForAll(exportedTo));
  if (aside !== undefined) return { ...head, state: "not applied", why: aside, isAsked: false };
  const unseen = whyUnseen(conditions ?? noConditions);
  if (unseen !== undefined) return { ...head, state: "not applied", why: unseen, isAsked: true };
  return { ...head, state: "applies", why: "", isAsked: true };
}

/** The very route where there are no matches to settle. */
function settled(
  scene: Scene,
  route: HttpRoute | ConnectionRoute,
  { port }: ServicePort,
): HttpRoute | ConnectionRoute {
  if (route.matches.length === 0) return route;
  return route.$typeName === "keelson.policy.v1.HttpRoute"
    ? { ...route, matches: settledMatches(route.matches, port, scene) }
    : { ...route, matches: settledMatches(route.matches, port, scene) };
}

/** No match of the route can hold for callers in the mesh that dial the port. */
function whyNever({ matches }: HttpRoute | ConnectionRoute): string {
  const ports = [...new Set(matches.map(({ port }) => port))].filter((port) => port !== 0);
  return ports.length > 0 ? `is for port ${ports.join(", ")}` : "is for gateways only";
}

function whyNotForAll(exportedTo: readonly string[]): string | undefined {
  if (exportedTo.length === 0) return undefined;
  return `is for callers in namespace ${exportedTo.join(", ")} only, and nodes decide for all callers alike`;
}

function whyUnseen({ request, source, addresses, serverNames }: Conditions): string | undefined {
  if (request.length > 0) {
    return `matches on the request (${request.join(", ")}), which is not seen when a connection is opened`;
  }
  if (serverNames.length > 0) {
    return `matches on the TLS server name (${serverNames.join(", ")}), which is not seen when a connection is opened`;
  }
  if (source.length > 0) return `matches on the caller (${source.join(", ")}), which is not supported yet`;
  if (addresses.length > 0)
    return `matches on addresses (${addresses.join(", ")}), which is not supported yet`;
  return undefined;
}
