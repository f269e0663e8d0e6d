import { type Endpoint, formatAddress, formatEndpoint, type Service } from "@keelson/model";
import type { HttpRoute } from "@keelson/protos/route";
import { defaultBounds } from "./automaton/bounds.ts";
import { endpointsOf, isReachable, type ResolvedDestination, whyNoEndpoint } from "./destination.ts";
import { destinationPolicy } from "./effective-policy.ts";
import type { Explaining, Part } from "./explaining.ts";
import type {
  CarriedRoute,
  DestinationExplanation,
  PortExplanation,
  RuleExplanation,
} from "./explanation.ts";
import { routesAutomaton, whyRelayed, whyUnread } from "./kernel-routes.ts";
import { whyLeftAlone } from "./left-alone.ts";
import { applicationProtocols } from "./messages.ts";
import type { ResolvedRule } from "./read-route.ts";
import type { RelayedRoute } from "./relayed-routes.ts";
import type { ResolvedPort } from "./resolve-routes.ts";
import type { Scene } from "./scene.ts";

export function* explainService(scene: Scene, service: Service, ports: readonly ResolvedPort[]): Explaining {
  const leftAlone = whyLeftAlone(service);
  const explained: PortExplanation[] = [];
  for (const resolved of ports) explained.push(yield* explainPort(scene, resolved, leftAlone !== undefined));
  return {
    hostname: service.hostname,
    namespace: service.namespace,
    addresses: service.addresses.map(formatAddress),
    ...(leftAlone !== undefined && { leftAlone: `it ${leftAlone}` }),
    ports: explained,
  };
}

function* explainPort(scene: Scene, resolved: ResolvedPort, isLeftAlone: boolean): Part<PortExplanation> {
  const { port, wantedTier, tier, why, destinations, rules, policies } = resolved;
  const effect = isLeftAlone ? undefined : "this share is refused (ECONNREFUSED)";
  const matching = yield* explainMatching(resolved);
  const carried = yield* carriedRoutes(scene, resolved, matching?.isInKernel === true);
  return {
    ...port,
    wantedTier,
    tier,
    why,
    ...(matching !== undefined && { matching: matching.text }),
    rules: rules.map((rule) => ({ ...explainRule(rule), ...carried.get(keyOf(rule)) })),
    policies: policies.map(explainRule),
    destinations: explainDestinations(scene, destinations, effect),
  };
}

interface Matching {
  readonly isInKernel: boolean;
  readonly text: string;
}

/** How programs look at a port's requests, where the relay is their home. */
function* explainMatching({ port, routes: all }: ResolvedPort): Part<Matching | undefined> {
  const routes = all.map(({ route }) => route).filter(isHttpRoute);
  if (routes.length === 0) return undefined;
  const unread = whyUnread(applicationProtocols[port.protocol]);
  if (unread !== undefined) return { isInKernel: false, text: `not in the kernel: ${unread}` };
  const fit = (yield { key: all, routes }) ?? routesAutomaton(routes);
  if ("unfit" in fit)
    return { isInKernel: false, text: `not in the kernel: the automaton of its rules ${fit.unfit}` };
  const { entries, bytes } = fit.size;
  const text = `one automaton of ${entries} entries (${bytes / 1024} KiB), of at most ${defaultBounds.entries}`;
  return { isInKernel: true, text };
}

const explainRule = ({ rule, field = "", precedence, state, why }: RuleExplanation): RuleExplanation => ({
  rule,
  field,
  precedence,
  state,
  why,
});

/** What is done by each route of a port whose home is the relay. */
function* carriedRoutes(
  scene: Scene,
  { routes }: ResolvedPort,
  isInKernel: boolean,
): Part<ReadonlyMap<string, Pick<RuleExplanation, "carried">>> {
  const carried = new Map<string, Pick<RuleExplanation, "carried">>();
  for (const route of routes) {
    yield undefined;
    const { rule, destinations: to } = route;
    if (rule === undefined) continue;
    const destinations = explainDestinations(scene, to, "this share is refused (503 for a request)");
    const tier = isInKernel ? tierOf(scene, route) : { tier: "relay" as const };
    carried.set(keyOf(rule), { carried: { ...tier, why: wishesOf(rule, to), destinations } });
  }
  return carried;
}

/** Of a port that programs look at. */
function tierOf(
  scene: Scene,
  { route, destinations }: RelayedRoute,
): Pick<CarriedRoute, "tier" | "relayedBecause"> {
  if (!isHttpRoute(route)) return { tier: "relay" };
  const relayedBecause = whyRelayed({
    route,
    destinations: destinations.map((to) => {
      const policy = destinationPolicy(scene, to);
      return { weight: to.weight, ...(policy && { policy }) };
    }),
  });
  return relayedBecause === undefined ? { tier: "kernel" } : { tier: "relay", relayedBecause };
}

const isHttpRoute = (route: RelayedRoute["route"]): route is HttpRoute =>
  route.$typeName === "keelson.policy.v1.HttpRoute";

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
  effect: string | undefined,
): DestinationExplanation[] {
  const sum = destinations.reduce((total, { weight }) => total + weight, 0);
  return destinations.map((destination) => explainDestination(scene, destination, sum, effect));
}

/** @param effect what comes of it where there is no endpoint; absent: nothing, since nodes leave connections as they are */
function explainDestination(
  scene: Scene,
  destination: ResolvedDestination,
  sum: number,
  effect: string | undefined,
): DestinationExplanation {
  const { hostname, subset, labels, weight } = destination;
  const endpoints = endpointsOf(scene, destination);
  const refused = effect !== undefined && weight > 0 && !isReachable(scene, destination);
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
