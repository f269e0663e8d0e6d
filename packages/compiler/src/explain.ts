import { type Endpoint, formatAddress, formatEndpoint, type Service } from "@keelson/model";
import { endpointsOf, isReachable, type ResolvedDestination, whyNoEndpoint } from "./destination.ts";
import type {
  DestinationExplanation,
  PortExplanation,
  RuleExplanation,
  ServiceExplanation,
} from "./explanation.ts";
import { whyLeftAlone } from "./left-alone.ts";
import type { ResolvedPort } from "./resolve-routes.ts";
import type { Scene } from "./scene.ts";

export function explainService(
  scene: Scene,
  service: Service,
  ports: readonly ResolvedPort[],
): ServiceExplanation {
  const leftAlone = whyLeftAlone(service);
  return {
    hostname: service.hostname,
    namespace: service.namespace,
    addresses: service.addresses.map(formatAddress),
    ...(leftAlone !== undefined && { leftAlone: `it ${leftAlone}` }),
    ports: ports.map((resolved) => explainPort(scene, resolved)),
  };
}

function explainPort(scene: Scene, resolved: ResolvedPort): PortExplanation {
  const { port, wantedTier, tier, why, destinations, rules, policies } = resolved;
  const sum = destinations.reduce((total, { weight }) => total + weight, 0);
  return {
    ...port,
    wantedTier,
    tier,
    why,
    rules: rules.map(explainRule),
    policies: policies.map(explainRule),
    destinations: destinations.map((destination) => explainDestination(scene, destination, sum)),
  };
}

const explainRule = ({ rule, field = "", precedence, state, why }: RuleExplanation): RuleExplanation => ({
  rule,
  field,
  precedence,
  state,
  why,
});

function explainDestination(
  scene: Scene,
  destination: ResolvedDestination,
  sum: number,
): DestinationExplanation {
  const { hostname, subset, labels, weight } = destination;
  const endpoints = endpointsOf(scene, destination);
  const refused = weight > 0 && !isReachable(scene, destination);
  const why = refused ? whyNoEndpoint(scene, destination).why : "";
  return {
    hostname,
    subset,
    labels,
    weight,
    share: sum === 0 ? 0 : weight / sum,
    endpoints: endpoints.map((endpoint) => ({ address: addressOf(endpoint), workload: endpoint.workload })),
    ...(refused ? { warning: `${why}: this share is refused (ECONNREFUSED)` } : {}),
  };
}

const addressOf = ({ address, hostname, port }: Endpoint): string =>
  address.length === 0 ? `${hostname}:${port}` : formatEndpoint(address, port);
