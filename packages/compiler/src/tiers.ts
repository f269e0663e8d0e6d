import { formatPath, type ServicePort } from "@keelson/model";
import { whyNotInKernel } from "./automaton/match-automaton.ts";
import { isUnconditional } from "./conditions.ts";
import type { ResolvedDestination } from "./destination.ts";
import type { TierName } from "./explanation.ts";
import type { PortPolicy } from "./port-policies.ts";
import { isHttp } from "./protocols.ts";
import type { ResolvedRule } from "./read-route.ts";
import { carriedRoute } from "./relayed-routes.ts";

export interface Tiers {
  /** The cheapest tier that keeps the meaning of the rules. */
  readonly wantedTier: TierName;
  /** The one that carries the port, on a node that has it. */
  readonly tier: Exclude<TierName, "kernel">;
  readonly why: string;
}

/** Something that rules ask for and that cannot be decided once per connection. */
interface Demand {
  readonly tier: "kernel" | "relay";
  readonly why: string;
  /** The relay does it. */
  readonly isCarried: boolean;
}

/** @param rules only those count that are asked at all */
export function tiersOf(
  port: ServicePort,
  rules: readonly ResolvedRule[],
  destinations: readonly ResolvedDestination[],
  policies: readonly PortPolicy[],
): Tiers {
  const live = rules.filter(({ isAsked }) => isAsked);
  const asHttp = isHttp(port) || live.some(({ isHttpRoute }) => isHttpRoute);
  const demands = [
    ...(asHttp ? featureDemands(live) : []),
    ...encryptionDemands(policies),
    ...(asHttp ? requestDemands(port, live, destinations) : connectionDemands(port, live)),
  ];
  if (demands.length === 0) {
    const why = asHttp
      ? "all requests go to one destination"
      : `${port.protocol} is decided once per connection`;
    return { wantedTier: "connect", tier: "connect", why };
  }
  const wantedTier = demands.some(({ tier }) => tier === "relay") ? "relay" : "kernel";
  const carried = demands.filter(({ isCarried }) => isCarried);
  const idle = demands.filter(({ isCarried }) => !isCarried).map(({ why }) => why);
  // What asks for the dearest tier says most.
  const main = carried.find(({ tier }) => tier === wantedTier) ?? carried[0];
  if (main === undefined) return { wantedTier, tier: "connect", why: idle.join("; ") };
  const stopgap =
    wantedTier === "kernel"
      ? "nodes whose agents run with --sockets=switch do that in the kernel, others in the relay"
      : "";
  const otherwise = "a node without a relay decides every connection once, when it is opened";
  return {
    wantedTier,
    tier: "relay",
    why: [main.why, stopgap, ...idle, otherwise].filter(Boolean).join("; "),
  };
}

function featureDemands(live: readonly ResolvedRule[]): Demand[] {
  const features = live.filter(isSeen).flatMap((rule) => rule.features);
  if (features.length === 0) return [];
  const fields = [...new Set(features.map(({ path }) => formatPath(path)))].join(", ");
  return [{ tier: "relay", why: `${fields} needs the relay`, isCarried: true }];
}

function encryptionDemands(policies: readonly PortPolicy[]): Demand[] {
  const encrypting = policies.find(({ asksForTls }) => asksForTls);
  if (encrypting === undefined) return [];
  const why = `${encrypting.rule} asks for TLS towards the host, which the relay does not do yet, so that connections stay as the caller makes them`;
  return [{ tier: "relay", why, isCarried: false }];
}

function requestDemands(
  port: ServicePort,
  live: readonly ResolvedRule[],
  destinations: readonly ResolvedDestination[],
): Demand[] {
  const targets = destinations.filter(({ weight }) => weight > 0);
  const weights = `weights over ${targets.length} destinations count requests`;
  return [
    ...matchDemands(port, live),
    ...(targets.length > 1 ? [perRequest(port, weights, { fits: true, isCarried: true })] : []),
  ];
}

function matchDemands(port: ServicePort, live: readonly ResolvedRule[]): Demand[] {
  const matching = live.filter(isConditional);
  if (matching.length === 0) return [];
  const unfit = whyNotInKernel(
    live.flatMap(({ route }) => (route.$typeName === "keelson.policy.v1.HttpRoute" ? [route.matches] : [])),
  );
  const what = unfit ?? "matches on requests, which must be looked at one by one";
  const carried = { fits: unfit === undefined, isCarried: matching.some(isSeen) };
  return [perRequest(port, `${namesOf(matching)} ${what}`, carried)];
}

function connectionDemands(port: ServicePort, live: readonly ResolvedRule[]): Demand[] {
  const matching = live.filter(isConditional);
  const byName = matching.filter(({ conditions }) => conditions.serverNames.length > 0);
  const isCarried = port.transport === "TCP" && matching.some(isSeen);
  if (byName.length > 0) {
    const why = `${namesOf(byName)} matches on the TLS handshake, which the relay must read`;
    return [{ tier: "relay", why, isCarried }];
  }
  if (!isCarried) return [];
  const why = `${namesOf(matching)} matches on more of a connection than its port, which the relay looks at`;
  return [{ tier: "relay", why, isCarried }];
}

const isConditional = ({ conditions }: ResolvedRule): boolean => !isUnconditional(conditions);

/** The relay sees something of what the rule looks at. */
const isSeen = (rule: ResolvedRule): boolean => carriedRoute(rule) !== undefined;

const namesOf = (rules: readonly ResolvedRule[]): string =>
  [...new Set(rules.map(({ rule }) => rule))].join(", ");

function perRequest(
  port: ServicePort,
  why: string,
  { fits, isCarried }: { readonly fits: boolean; readonly isCarried: boolean },
): Demand {
  // The kernel reads HTTP/1.1 only; a port that does not say what it speaks may well speak that.
  const reads = port.protocol === "http" || port.protocol === "http_proxy" || port.protocol === "unknown";
  return { tier: fits && reads ? "kernel" : "relay", why, isCarried };
}
