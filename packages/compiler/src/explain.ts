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
  const refused = "this share is refused (ECONNREFUSED)";
  const carried = carriedRoutes(scene, resolved);
  return {
    ...port,
    wantedTier,
    tier,
    why,
    ...(wantedTier === "kernel" && { matching: explainMatching(resolved) }),
    rules: rules.map((rule) => ({ ...explainRule(rule), ...carried.get(keyOf(rule)) })),
    policies: policies.map(explainRule),
    destinations: explainDestinations(scene, destinations, refused),
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

/** What the relay does by each route of a port. */
function carriedRoutes(
  scene: Scene,
  { routes }: ResolvedPort,
): ReadonlyMap<string, Pick<RuleExplanation, "carried">> {
  const carried = new Map<string, Pick<RuleExplanation, "carried">>();
  for (const { rule, destinations: to } of routes) {
    if (rule === undefined) continue;
    const destinations = explainDestinations(scene, to, "this share is refused (503 for a request)");
    carried.set(keyOf(rule), { carried: { tier: "relay", why: wishesOf(rule, to), destinations } });
  }
  return carried;
}

const keyOf = ({ rule, field }: ResolvedRule): string => `${rule} ${field}`;

/** What a route wants that is not to be had once per connection. */
function wishesOf({ conditions, features }: ResolvedRule, to: readonly ResolvedDestination[]): string {
  const { request, source, serverNames } = conditions;
  const parts = [...request, ...source.map((text) => `caller ${text}`)];
  const names = serverNames.map((name) => `server name ${name}`);
  const looks = [...parts, ...names].join(", ");
  const targets = to.filter(({ weight }) => weight > 0).length;
  return [
    looks === "" ? "" : `looks at ${looks}`,
    targets > 1 ? `weighs ${targets} destinations` : "",
    ...features.map(({ what }) => what),
  ]
    .filter(Boolean)
    .join("; ");
}

function explainDestinations(
  scene: Scene,
  destinations: readonly ResolvedDestination[],
  effect: string,
): DestinationExplanation[] {
  const sum = destinations.reduce((total, { weight }) => total + weight, 0);
  return destinations.map((destination) => explainDestination(scene, destination, sum, effect));
}

/** @param effect what comes of it where there is no endpoint */
function explainDestination(
  scene: Scene,
  destination: ResolvedDestination,
  sum: number,
  effect: string,
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
    ...(refused ? { warning: `${why}: ${effect}` } : {}),
  };
}

const addressOf = ({ address, hostname, port }: Endpoint): string =>
  address.length === 0 ? `${hostname}:${port}` : formatEndpoint(address, port);
