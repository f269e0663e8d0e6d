import {
  formatAddress,
  formatEndpoint,
  type Model,
  type RouteDestination,
  type Service,
} from "@keelson/model";
import { endpointsOf, whyNoEndpoint } from "./endpoint-sets.ts";
import type { DestinationExplanation, PortExplanation, ServiceExplanation } from "./explanation.ts";
import type { ResolvedPort } from "./resolve-routes.ts";

export function explainService(
  model: Model,
  service: Service,
  ports: readonly ResolvedPort[],
): ServiceExplanation {
  return {
    hostname: service.hostname,
    namespace: service.namespace,
    addresses: service.addresses.map(formatAddress),
    ports: ports.map((resolved) => explainPort(model, resolved)),
  };
}

function explainPort(model: Model, resolved: ResolvedPort): PortExplanation {
  const { port, wantedTier, tier, why } = resolved;
  const sum = resolved.destinations.reduce((total, { weight }) => total + weight, 0);
  return {
    ...port,
    wantedTier,
    tier,
    why,
    rules: resolved.rules.map(({ rule, precedence, state, why: reason }) => ({
      rule,
      precedence,
      state,
      why: reason,
    })),
    destinations: resolved.destinations.map((destination) =>
      explainDestination(model, resolved, destination, sum),
    ),
  };
}

function explainDestination(
  model: Model,
  { port }: ResolvedPort,
  destination: RouteDestination,
  sum: number,
): DestinationExplanation {
  const endpoints = endpointsOf(model, destination, port);
  const refused = destination.weight > 0 && endpoints.length === 0;
  const why = refused ? whyNoEndpoint(model, destination, port) : "";
  return {
    hostname: destination.hostname,
    labels: destination.labels,
    weight: destination.weight,
    share: sum === 0 ? 0 : destination.weight / sum,
    endpoints: endpoints.map((endpoint) => ({
      address: formatEndpoint(endpoint.address, endpoint.port),
      workload: endpoint.workload,
    })),
    ...(refused ? { warning: `${why}: this share is refused (ECONNREFUSED)` } : {}),
  };
}
