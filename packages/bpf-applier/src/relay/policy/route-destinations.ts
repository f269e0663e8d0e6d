import { formatLabels } from "@keelson/protos";
import type { Destination, PortRoute } from "@keelson/protos/policy";
import type { RouteDestination } from "@keelson/protos/route";
import { authorityOf, type HeaderChanges, headerChanges } from "./header-changes.ts";
import type { DestinationRef } from "./types.ts";

/** One of a route's destinations, with what is changed for requests that go there. */
export interface RuleDestination {
  readonly weight: number;
  readonly ref: DestinationRef;
  /** Done before the route's own, whose changes win (Envoy: weighted clusters before routes). */
  readonly requestChanges: HeaderChanges | undefined;
  readonly answerChanges: HeaderChanges | undefined;
  /** Empty: as it is. */
  readonly authority: string;
}

/** Two subsets of the same endpoints may have policies of their own, and then are balanced by themselves. */
export function destinationRef(
  destination: Destination,
  named: RouteDestination | undefined,
): DestinationRef {
  const { endpointSet, policy } = destination;
  const part = named === undefined ? "" : named.subset || formatLabels(named.labels);
  return { key: `${endpointSet} ${part}`, endpointSet, policy };
}

/** Where a route has one destination alone, its header operations are done together with the route's. */
export function ruleDestinations({ route, destinations }: PortRoute): RuleDestination[] {
  const named = route?.destinations ?? [];
  return destinations.map((destination, index) => {
    const name = named[index];
    const own = named.length > 1 ? name : undefined;
    return {
      weight: destination.weight,
      ref: destinationRef(destination, name),
      requestChanges: headerChanges(own?.requestHeaders),
      answerChanges: headerChanges(own?.responseHeaders),
      authority: authorityOf(own?.requestHeaders),
    };
  });
}
