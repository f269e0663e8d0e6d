import { create } from "@bufbuild/protobuf";
import type { Service, ServicePort } from "@keelson/model";
import type { ConnectionMatch, HttpMatch } from "@keelson/protos/match";
import { type ConnectionRoute, type HttpRoute, HttpRouteSchema } from "@keelson/protos/route";
import { isUnconditional } from "./conditions.ts";
import { destinationsOf, type ResolvedDestination, resolveDestination } from "./destination.ts";
import type { ResolvedRule } from "./read-route.ts";
import type { Scene } from "./scene.ts";

/** A route that the relay asks, and where it leads. */
export interface RelayedRoute {
  readonly route: HttpRoute | ConnectionRoute;
  /** The rule it comes from; absent for the default behind RouteRules. */
  readonly rule?: ResolvedRule;
  /** One for each of the route's; one alone where the choice is as without rules; none where the route answers itself. */
  readonly destinations: readonly ResolvedDestination[];
  /** One for each of the route's. */
  readonly mirrors: readonly ResolvedDestination[];
}

/** @param rules of the port, in order; those that are asked count */
export function relayedRoutes(
  scene: Scene,
  service: Service,
  port: ServicePort,
  rules: readonly ResolvedRule[],
): RelayedRoute[] {
  const asked = rules.filter(({ isAsked }) => isAsked);
  const routes = asked.flatMap((rule) => {
    const route = carriedRoute(rule);
    return route === undefined ? [] : [{ rule, route, ...targetsOf(scene, service, port, route) }];
  });
  return [...routes, ...defaultBehind(asked, scene, service, port)];
}

function targetsOf(
  scene: Scene,
  service: Service,
  port: ServicePort,
  route: HttpRoute | ConnectionRoute,
): Pick<RelayedRoute, "destinations" | "mirrors"> {
  const destinations = destinationsOf(scene, service, port, route.destinations);
  if (route.$typeName === "keelson.policy.v1.ConnectionRoute") return { destinations, mirrors: [] };
  return {
    destinations: (route.redirect ?? route.directResponse) === undefined ? destinations : [],
    mirrors: route.mirrors.flatMap(({ destination }) =>
      destination === undefined ? [] : [resolveDestination(scene, destination, port, 1)],
    ),
  };
}

/** Istio 0.2 has a default behind all RouteRules of a host; what no route of another kind takes is not found. */
function defaultBehind(
  asked: readonly ResolvedRule[],
  scene: Scene,
  service: Service,
  port: ServicePort,
): RelayedRoute[] {
  const last = asked.at(-1);
  const isOpen = last?.isHttpRoute === true && !isUnconditional(last.conditions);
  if (!isOpen || last.origin.object.kind !== "RouteRule") return [];
  const route = create(HttpRouteSchema, { name: "default" });
  return [{ route, ...targetsOf(scene, service, port, route) }];
}

/**
 * What of a route the relay asks. It knows callers by their labels, and not by which of a service's addresses it was called:
 * a match that wants to know more is left out rather than widened.
 * @returns undefined if nothing is left
 */
export function carriedRoute({ route }: ResolvedRule): HttpRoute | ConnectionRoute | undefined {
  const { matches } = route;
  if (matches.length > 0 && !matches.some(isCarried)) return undefined;
  const isWhole = matches.every(isCarried);
  if (route.$typeName === "keelson.policy.v1.ConnectionRoute")
    return isWhole ? route : { ...route, matches: route.matches.filter(isCarried) };
  const mirrors = route.mirrors.filter(
    ({ destination, percent }) => destination !== undefined && percent > 0,
  );
  return isWhole && mirrors.length === route.mirrors.length
    ? route
    : { ...route, matches: route.matches.filter(isCarried), mirrors };
}

const isCarried = (match: HttpMatch | ConnectionMatch): boolean => unseenParts(match).length === 0;

function unseenParts(match: HttpMatch | ConnectionMatch): string[] {
  const { source } = match;
  const subnets = match.$typeName === "keelson.policy.v1.ConnectionMatch" ? match.destinationSubnets : [];
  return [
    ...(source === undefined || source.hostname === "" ? [] : [`callers that belong to ${source.hostname}`]),
    ...(subnets.length === 0 ? [] : [`the dialled address (${subnets.join(", ")})`]),
  ];
}

/** What the relay leaves out of a rule's matches, as a verb and more; undefined: nothing. */
function whyUnseen({ route }: ResolvedRule): string | undefined {
  const unseen = [...new Set(route.matches.flatMap(unseenParts))];
  return unseen.length === 0
    ? undefined
    : `matches on ${unseen.join(" and ")}, which the relay does not know`;
}

/** The rule with the state that it has where the relay looks at requests or connections. */
export function withRelayState(rule: ResolvedRule): ResolvedRule {
  if (!rule.isAsked) return rule;
  const unseen = whyUnseen(rule);
  if (unseen === undefined) return { ...rule, state: "applies", why: "" };
  return carriedRoute(rule) === undefined
    ? { ...rule, state: "not applied", why: unseen }
    : { ...rule, state: "partly applies", why: `a part of it ${unseen}` };
}
