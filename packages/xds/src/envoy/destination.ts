import { formatLabels } from "@keelson/protos";
import type { Service } from "@keelson/protos/policy";
import type { RouteDestination } from "@keelson/protos/route";
import type { Subset } from "@keelson/protos/traffic-policy";
import type { RoutingContext } from "./context.ts";
import { includesLabels } from "./hosts.ts";
import type { WeightedCluster } from "./listener/tcp-proxy.ts";
import { type PolicyParts, policyFor } from "./traffic-policy.ts";

/** The third field of a cluster's name: a subset, or sorted labels where a rule knows no subsets. */
const subsetKey = ({ subset, labels }: Pick<RouteDestination, "subset" | "labels">): string =>
  subset === "" ? formatLabels(labels) : subset;

/** The port of the destination's service that is meant, where the caller dialled `dialled`. */
export function destinationPort(
  { port }: Pick<RouteDestination, "port">,
  service: Service | undefined,
  dialled: number,
): number {
  if (port !== 0) return port;
  const [only, ...others] = service?.ports ?? [];
  return only !== undefined && others.length === 0 ? only.port : dialled;
}

/** A name is given also for a service that is not there: Envoy then answers 503, as Istio's does. */
export function destinationCluster(
  destination: RouteDestination,
  context: RoutingContext,
  dialled: number,
): string {
  const service = context.visible(destination.hostname);
  const port = destinationPort(destination, service, dialled);
  return context.clusterName(port, subsetKey(destination), service?.hostname ?? destination.hostname);
}

/** Destinations that get something. Without any weight all get the same; without any destination there is none. */
export function weighted<Destination extends { readonly weight: number }>(
  destinations: readonly Destination[],
): (Destination & { readonly weight: number })[] {
  const used = destinations.filter(({ weight }) => weight > 0);
  if (used.length > 0) return used;
  return destinations.map((destination) => ({ ...destination, weight: 1 }));
}

/** Several destinations may be one cluster: their weights add up. */
export function weightedClusters(
  destinations: readonly RouteDestination[],
  context: RoutingContext,
  dialled: number,
): WeightedCluster[] {
  const weights = new Map<string, number>();
  for (const destination of weighted(destinations)) {
    const name = destinationCluster(destination, context, dialled);
    weights.set(name, (weights.get(name) ?? 0) + destination.weight);
  }
  return [...weights].map(([name, weight]) => ({ name, weight }));
}

/** The subset that a policy names, or has the same labels as. */
export function findSubset(
  subsets: readonly Subset[],
  { subset, labels }: Pick<RouteDestination, "subset" | "labels">,
): Subset | undefined {
  if (subset !== "") return subsets.find(({ name }) => name === subset);
  if (Object.keys(labels).length === 0) return undefined;
  return subsets.find(
    (other) => includesLabels(other.labels, labels) && includesLabels(labels, other.labels),
  );
}

/** What counts for connections to a destination. */
export function destinationPolicy(
  destination: RouteDestination,
  context: RoutingContext,
  dialled: number,
): PolicyParts {
  const service = context.visible(destination.hostname);
  if (service === undefined) return {};
  const policy = context.policyOf(service);
  return policyFor(
    policy,
    destinationPort(destination, service, dialled),
    findSubset(policy?.subsets ?? [], destination),
  );
}
