import { formatPath, type ServicePort } from "@keelson/model";
import { whyNotInKernel } from "./automaton/match-automaton.ts";
import type { ResolvedDestination } from "./destination.ts";
import type { TierName } from "./explanation.ts";
import type { PortPolicy } from "./port-policies.ts";
import { isHttp } from "./protocols.ts";
import type { ResolvedRule } from "./read-route.ts";

export interface Wanted {
  readonly wantedTier: TierName;
  readonly why: string;
}

/** What has no effect today for want of a tier that could do it. */
const untilThen = "every connection is decided once, when it is opened";

/** The cheapest tier that keeps the meaning of a port's rules. Only rules count that are asked at all. */
export function wantedTierOf(
  port: ServicePort,
  rules: readonly ResolvedRule[],
  destinations: readonly ResolvedDestination[],
  policies: readonly PortPolicy[],
): Wanted {
  const live = rules.filter(({ isAsked }) => isAsked);
  const features = live.flatMap((rule) => rule.features);
  const asHttp = isHttp(port) || live.some(({ isHttpRoute }) => isHttpRoute);
  if (asHttp && features.length > 0) {
    const fields = [...new Set(features.map(({ path }) => formatPath(path)))].join(", ");
    return { wantedTier: "relay", why: `${fields} needs the relay; until it is there, ${untilThen}` };
  }
  const encrypting = policies.find(({ needsRelay }) => needsRelay);
  if (encrypting !== undefined) {
    const why = `${encrypting.rule} asks for TLS towards the host, which needs the relay; until it is there, connections stay as the caller makes them`;
    return { wantedTier: "relay", why };
  }
  const byName = live.filter(({ conditions }) => conditions.serverNames.length > 0);
  if (byName.length > 0) {
    const why = `${namesOf(byName)} matches on the TLS handshake, which the relay must read; until it is there, ${untilThen}`;
    return { wantedTier: "relay", why };
  }
  const matching = live.filter(({ conditions }) => conditions.request.length > 0);
  if (asHttp && matching.length > 0) {
    const unfit = whyNotInKernel(live.map(({ matches }) => matches));
    const what = unfit === undefined ? "matches on requests, which must be looked at one by one" : unfit;
    return perRequest(port, `${namesOf(matching)} ${what}`, unfit === undefined);
  }
  const targets = destinations.filter(({ weight }) => weight > 0);
  if (asHttp && targets.length > 1) {
    return perRequest(port, `weights over ${targets.length} destinations count requests`);
  }
  if (!asHttp) return { wantedTier: "connect", why: `${port.protocol} is decided once per connection` };
  return { wantedTier: "connect", why: "all requests go to one destination" };
}

const namesOf = (rules: readonly ResolvedRule[]): string =>
  [...new Set(rules.map(({ rule }) => rule))].join(", ");

function perRequest(port: ServicePort, reason: string, fits = true): Wanted {
  // The kernel reads HTTP/1.1 only; a port that does not say what it speaks may well speak that.
  const reads = port.protocol === "http" || port.protocol === "http_proxy" || port.protocol === "unknown";
  const wantedTier = fits && reads ? "kernel" : "relay";
  return { wantedTier, why: `${reason}; until the ${wantedTier} tier is there, ${untilThen}` };
}
