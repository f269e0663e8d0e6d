import { ApplicationProtocol, type Destination } from "@keelson/protos/policy";
import type { HttpRoute } from "@keelson/protos/route";
import { type Bounds, defaultBounds } from "./automaton/bounds.ts";
import { type MatchAutomaton, matchAutomaton } from "./automaton/match-automaton.ts";
import { whyUnhashed } from "./kernel-keys.ts";
import { idleFeatures } from "./policy-features.ts";
import { wishesOf } from "./route-features.ts";

export { whyNotInKernel } from "./automaton/match-automaton.ts";

/** A route of requests, with where it leads: what a `PortRoute` says of it. */
export interface KernelRoute {
  readonly route: HttpRoute;
  /** One for each of the route's; policies are those that hold for calls to it. */
  readonly destinations: readonly Pick<Destination, "weight" | "policy">[];
}

/** Programs read HTTP/1.1 only; a port that does not say what it speaks may well speak that. */
const readProtocols: ReadonlySet<ApplicationProtocol> = new Set([
  ApplicationProtocol.HTTP,
  ApplicationProtocol.HTTP_PROXY,
  ApplicationProtocol.UNSPECIFIED,
]);

/** Why programs look at no request of a port, whatever its routes are; undefined: they may. */
export const whyUnread = (protocol: ApplicationProtocol): string | undefined =>
  readProtocols.has(protocol)
    ? undefined
    : `its callers speak ${ApplicationProtocol[protocol]}, and programs read HTTP/1.1`;

/** One automaton for all routes of a port, those of the relay, too: the first that matches counts, whoever carries it. */
export function routesAutomaton(
  routes: readonly Pick<HttpRoute, "matches">[],
  bounds: Bounds = defaultBounds,
): MatchAutomaton | { readonly unfit: string } {
  return matchAutomaton(
    routes.map(({ matches }) => matches),
    bounds,
  );
}

/**
 * Why requests that a route takes are the relay's, while programs look at the port; undefined: programs carry them. They choose a
 * destination by weights and an endpoint as the relay's balancers do, and send a request as it is.
 */
export function whyRelayed({ route, destinations }: KernelRoute): string | undefined {
  const wishes = wishesOf(route);
  if (wishes.length > 0) return `it ${wishes.join(", ")}`;
  const used = destinations.filter(({ weight }) => weight > 0);
  if (used.length === 0) return "it leads nowhere";
  const unhashed = used.some(({ policy }) => policy?.loadBalancer?.consistentHash !== undefined)
    ? whyUnhashed(destinations)
    : undefined;
  const asked = new Set([
    ...used.flatMap(({ policy }) => (policy ? idleFeatures(policy, "kernel") : [])),
    ...(unhashed === undefined ? [] : [unhashed]),
  ]);
  return asked.size === 0 ? undefined : `its destination's policy asks for ${[...asked].join(", ")}`;
}
