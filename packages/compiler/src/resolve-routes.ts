import { describeObject, type RouteSource, type Service, type ServicePort } from "@keelson/model";
import { destinationsOf, type ResolvedDestination } from "./destination.ts";
import type { TierName } from "./explanation.ts";
import { whyLeftAlone } from "./left-alone.ts";
import { type PortPolicy, portPolicies } from "./port-policies.ts";
import { type ResolvedRule, readRoute, routesAt } from "./read-route.ts";
import { type RelayedRoute, relayedRoutes, withRelayState } from "./relayed-routes.ts";
import type { Scene } from "./scene.ts";
import { tiersOf } from "./tiers.ts";

/** How one port's connections, and the requests on them, are decided. */
export interface ResolvedPort {
  readonly port: ServicePort;
  /** Where connections go that are decided once. Never empty. */
  readonly destinations: readonly ResolvedDestination[];
  /** The rule that says so; absent where there is none. */
  readonly chosen?: ResolvedRule;
  /** What the relay asks, in order; empty where it is not the relay that carries the port. */
  readonly routes: readonly RelayedRoute[];
  readonly wantedTier: TierName;
  readonly tier: TierName;
  readonly why: string;
  readonly rules: readonly ResolvedRule[];
  readonly policies: readonly PortPolicy[];
}

/**
 * Walks the routes for one port: of the tables that name the host, the first that has a route for the port counts. Of its
 * routes the relay takes all up to one without a condition; where a connection is decided once, it is that one alone. What
 * a tier cannot see or do is left out, and said.
 */
export function resolvePort(scene: Scene, service: Service, port: ServicePort): ResolvedPort {
  const { rules, chosen } = walk(scene, service, port);
  const destinations = destinationsOf(scene, service, port, chosen?.destinations ?? []);
  const policies = portPolicies(scene, destinations, "connect");
  const tiers = tiersOf(port, rules, destinations, policies);
  const decided = { port, destinations, ...(chosen && { chosen }) };
  const alone = whyLeftAlone(service);
  if (alone !== undefined) {
    const why = `the service ${alone}: connections are left as they are`;
    return { ...decided, ...tiers, tier: "connect", why, routes: [], rules, policies };
  }
  if (tiers.tier === "connect") return { ...decided, ...tiers, routes: [], rules, policies };
  const routes = relayedRoutes(scene, service, port, rules);
  const targets = [...destinations, ...routes.flatMap((route) => [...route.destinations, ...route.mirrors])];
  return {
    ...decided,
    ...tiers,
    routes,
    rules: rules.map(withRelayState),
    policies: portPolicies(scene, targets, "relay"),
  };
}

/** Names of the endpoint sets that the port's connections and requests may go to. */
export const endpointSetsOf = ({ destinations, routes }: ResolvedPort): string[] => [
  ...destinations.map(({ endpointSet }) => endpointSet),
  ...routes.flatMap((route) =>
    [...route.destinations, ...route.mirrors].map(({ endpointSet }) => endpointSet),
  ),
];

interface Walked {
  readonly rules: readonly ResolvedRule[];
  readonly chosen?: ResolvedRule;
}

function walk(scene: Scene, service: Service, port: ServicePort): Walked {
  const rules: ResolvedRule[] = [];
  let table: RouteSource | undefined;
  let chosen: ResolvedRule | undefined;
  for (const source of scene.tablesOf(service.hostname)) {
    const routes = routesAt(source, port).map((route) =>
      readRoute(scene, route, port, source.table.exportedTo),
    );
    if (table !== undefined) {
      const by = nameOf(table);
      rules.push(...routes.map((rule) => (rule.isAsked ? shadowed(rule, by, "is asked first") : rule)));
      continue;
    }
    if (routes.some(({ isAsked }) => isAsked)) table = source;
    for (const rule of routes) {
      if (chosen === undefined || !rule.isAsked) rules.push(rule);
      else rules.push(shadowed(rule, chosen.rule, "is asked first and takes everything"));
      if (rule.state === "applies" || rule.state === "partly applies") chosen ??= rule;
    }
  }
  const alone = whyLeftAlone(service);
  if (alone === undefined) return { rules, ...(chosen && { chosen }) };
  const why = `is for a service that ${alone}`;
  return { rules: rules.map((rule) => (rule.isAsked ? { ...rule, state: "not applied", why } : rule)) };
}

function nameOf({ http, tcp, tls }: RouteSource): string {
  const origin = http[0] ?? tcp[0] ?? tls[0];
  return origin === undefined ? "another rule" : describeObject(origin.object);
}

const shadowed = (rule: ResolvedRule, by: string, why: string): ResolvedRule => ({
  ...rule,
  state: "shadowed",
  why: `${by} ${why}`,
  isAsked: false,
});
