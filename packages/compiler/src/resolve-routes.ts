import {
  describeObject,
  type Route,
  type RouteDestination,
  type Service,
  type ServicePort,
} from "@keelson/model";
import type { RuleExplanation, TierName } from "./explanation.ts";

/** How one port's connections are decided. */
export interface ResolvedPort {
  readonly port: ServicePort;
  /** Never empty. */
  readonly destinations: readonly RouteDestination[];
  readonly wantedTier: TierName;
  readonly tier: TierName;
  readonly why: string;
  readonly rules: readonly ResolvedRule[];
}

export interface ResolvedRule extends RuleExplanation {
  readonly route: Route;
}

/** What has no effect today for want of a tier that could do it. */
const untilKernelTier = "every connection is decided once, when it is opened";

/**
 * Walks a port's routes as Pilot 0.2 does: by precedence, up to the first that has no condition.
 * What the connect tier cannot see or do is left out, and said.
 */
export function resolvePort(service: Service, port: ServicePort, routes: readonly Route[]): ResolvedPort {
  const rules: ResolvedRule[] = [];
  let chosen: Route | undefined;
  for (const route of routes) {
    const seen = chosen === undefined ? explainRule(route, port) : shadowed(chosen);
    rules.push({ rule: describeObject(route.object), precedence: route.precedence, route, ...seen });
    if (seen.state === "applies" || seen.state === "partly applies") chosen ??= route;
  }
  const destinations = chosen?.destinations ?? [{ hostname: service.hostname, labels: {}, weight: 100 }];
  const { wantedTier, why } = wantedTierOf(port, rules, destinations);
  return { port, destinations, wantedTier, tier: "connect", why, rules };
}

type Seen = Pick<RuleExplanation, "state" | "why">;

function explainRule({ conditions, features }: Route, port: ServicePort): Seen {
  const why = unseenCondition(conditions, port);
  if (why !== undefined) return { state: "not applied", why };
  if (features.length === 0) return { state: "applies", why: "" };
  const what = features.map((feature) => `${feature.field} (${feature.what})`).join(", ");
  return { state: "partly applies", why: `${what} has no effect: it needs the relay tier` };
}

function unseenCondition(
  { request, source, addresses }: Route["conditions"],
  port: ServicePort,
): string | undefined {
  if (request.length > 0) {
    return isHttp(port)
      ? `matches on the request (${request.join(", ")}), which is not seen when a connection is opened`
      : `matches on requests, and the port's protocol is ${port.protocol}`;
  }
  if (source !== undefined) return `matches on the caller (${source}), which is not supported yet`;
  if (addresses !== undefined) return `matches on addresses (${addresses}), which is not supported yet`;
  return undefined;
}

function shadowed(by: Route): Seen {
  return { state: "shadowed", why: `${describeObject(by.object)} is asked first and takes everything` };
}

const perRequestProtocols = new Set(["http", "http_proxy", "http2", "grpc", "grpc-web"]);
export const isHttp = ({ protocol }: ServicePort): boolean => perRequestProtocols.has(protocol);

interface Wanted {
  readonly wantedTier: TierName;
  readonly why: string;
}

/** Only rules up to the chosen one count: what is shadowed asks for nothing. */
function wantedTierOf(
  port: ServicePort,
  rules: readonly ResolvedRule[],
  destinations: readonly RouteDestination[],
): Wanted {
  const live = rules.filter(({ state }) => state !== "shadowed");
  const features = live.flatMap(({ route }) => route.features);
  if (isHttp(port) && features.length > 0) {
    const fields = [...new Set(features.map(({ field }) => field))].join(", ");
    return { wantedTier: "relay", why: `${fields} needs the relay; until it is there, ${untilKernelTier}` };
  }
  const matching = live.filter(({ route }) => route.conditions.request.length > 0);
  if (isHttp(port) && matching.length > 0) {
    const names = matching.map(({ rule }) => rule).join(", ");
    return perRequest(port, `${names} matches on requests, which must be looked at one by one`);
  }
  const targets = destinations.filter(({ weight }) => weight > 0);
  if (isHttp(port) && targets.length > 1) {
    return perRequest(port, `weights over ${targets.length} destinations count requests`);
  }
  if (!isHttp(port)) return { wantedTier: "connect", why: `${port.protocol} is decided once per connection` };
  return { wantedTier: "connect", why: "all requests go to one destination" };
}

function perRequest(port: ServicePort, reason: string): Wanted {
  // The kernel reads HTTP/1.1 only.
  const wantedTier = port.protocol === "http" || port.protocol === "http_proxy" ? "kernel" : "relay";
  return { wantedTier, why: `${reason}; until the ${wantedTier} tier is there, ${untilKernelTier}` };
}
