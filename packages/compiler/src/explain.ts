import { type Endpoint, formatAddress, formatEndpoint, type Service } from "@keelson/model";
import type { HttpMatch } from "@keelson/protos/match";
import { matchAutomaton } from "./automaton/match-automaton.ts";
import { endpointsOf, isReachable, type ResolvedDestination, whyNoEndpoint } from "./destination.ts";
import type {
  DestinationExplanation,
  PortExplanation,
  RuleExplanation,
  ServiceExplanation,
} from "./explanation.ts";
import { whyLeftAlone } from "./left-alone.ts";
import type { ResolvedRule } from "./read-route.ts";
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
    ...(wantedTier === "kernel" && { matching: explainMatching(resolved) }),
    rules: rules.map(explainRule),
    policies: policies.map(explainRule),
    destinations: destinations.map((destination) => explainDestination(scene, destination, sum)),
  };
}

/** Of rules that are asked at all, as the kernel would look at them. */
function explainMatching({ rules }: ResolvedPort): string {
  const automaton = matchAutomaton(rules.filter(({ isAsked }) => isAsked).flatMap(matchesOf));
  if ("unfit" in automaton) return `not in the kernel: the automaton of its rules ${automaton.unfit}`;
  const { entries, bytes } = automaton.size;
  return `one automaton of ${entries} entries (${bytes / 1024} KiB)`;
}

const matchesOf = ({ route }: ResolvedRule): HttpMatch[][] =>
  route.$typeName === "keelson.policy.v1.HttpRoute" ? [route.matches] : [];

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
