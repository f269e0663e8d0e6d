import { describeObject, type RouteSource, type Service, type ServicePort } from "@keelson/model";
import type { RouteDestination } from "@keelson/protos/route";
import { type ResolvedDestination, resolveDestination } from "./destination.ts";
import type { TierName } from "./explanation.ts";
import { whyLeftAlone } from "./left-alone.ts";
import { type PortPolicy, portPolicies } from "./port-policies.ts";
import { type ResolvedRule, readRoute, routesAt } from "./read-route.ts";
import type { Scene } from "./scene.ts";
import { wantedTierOf } from "./tiers.ts";

/** How one port's connections are decided. */
export interface ResolvedPort {
  readonly port: ServicePort;
  /** Never empty. */
  readonly destinations: readonly ResolvedDestination[];
  /** The rule that says so; absent where there is none. */
  readonly chosen?: ResolvedRule;
  readonly wantedTier: TierName;
  readonly tier: TierName;
  readonly why: string;
  readonly rules: readonly ResolvedRule[];
  readonly policies: readonly PortPolicy[];
}

/**
 * Walks the routes for one port: of the tables that name the host, the first that has a route for the port counts; of its
 * routes, the first without a condition. What the connect tier cannot see or do is left out, and said.
 */
export function resolvePort(scene: Scene, service: Service, port: ServicePort): ResolvedPort {
  const { rules, chosen } = walk(scene, service, port);
  const destinations = destinationsOf(scene, service, port, chosen?.destinations ?? []);
  const policies = portPolicies(scene, destinations);
  const { wantedTier, why } = wantedTierOf(port, rules, destinations, policies);
  const alone = whyLeftAlone(service);
  return {
    port,
    destinations,
    ...(chosen && { chosen }),
    wantedTier,
    tier: "connect",
    why: alone === undefined ? why : `the service ${alone}: connections are left as they are`,
    rules,
    policies,
  };
}

interface Walked {
  readonly rules: readonly ResolvedRule[];
  readonly chosen?: ResolvedRule;
}

function walk(scene: Scene, service: Service, port: ServicePort): Walked {
  const rules: ResolvedRule[] = [];
  let table: RouteSource | undefined;
  let chosen: ResolvedRule | undefined;
  for (const source of scene.tablesOf(service.hostname)) {
    const routes = routesAt(source, port).map((route) => readRoute(route, port, source.table.exportedTo));
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

/** Without destinations of its own, a route leaves the choice as it is without rules. */
function destinationsOf(
  scene: Scene,
  { hostname }: Service,
  port: ServicePort,
  written: readonly RouteDestination[],
): ResolvedDestination[] {
  if (written.length === 0) {
    return [resolveDestination(scene, { hostname, subset: "", labels: {}, port: port.port }, port, 100)];
  }
  const sum = written.reduce((total, { weight }) => total + weight, 0);
  const share = written.length === 1 ? 100 : 1;
  return written.map((to) => resolveDestination(scene, to, port, sum === 0 ? share : to.weight));
}
