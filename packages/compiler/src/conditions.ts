import { meshGateway } from "@keelson/model";
import type { ConnectionMatch, HttpMatch, SourceMatch, StringMatch } from "@keelson/protos/match";
import type { Scene } from "./scene.ts";

/** What must hold for a route to be taken, beyond the port. */
export interface Conditions {
  /** Parts of the request that are looked at, such as "header cookie". */
  readonly request: readonly string[];
  /** Which callers are meant. */
  readonly source: readonly string[];
  /** Which addresses are meant. */
  readonly addresses: readonly string[];
  /** Which server names of a TLS handshake are meant. */
  readonly serverNames: readonly string[];
}

const none: Conditions = { request: [], source: [], addresses: [], serverNames: [] };

/**
 * The conditions that are left of a route's matches for callers in the mesh that dial `port`.
 * @returns undefined if none of the matches can ever hold for them
 */
export function conditionsAt(
  matches: readonly (HttpMatch | ConnectionMatch)[],
  port: number,
): Conditions | undefined {
  if (matches.length === 0) return none;
  const possible = matchesAt(matches, port);
  if (possible.length === 0) return undefined;
  const all = possible.map(conditionsOf);
  // One match is enough, so one without conditions makes the others moot.
  if (all.some(isUnconditional)) return none;
  const union = (part: keyof Conditions): string[] => [...new Set(all.flatMap((one) => one[part]))];
  return {
    request: union("request"),
    source: union("source"),
    addresses: union("addresses"),
    serverNames: union("serverNames"),
  };
}

/**
 * What is left of matches for callers in the mesh that dial `port`: those that may hold for them, without what is settled
 * by that, up to the first without conditions.
 * @returns empty where every request or connection is meant
 */
export function settledMatches<Match extends HttpMatch | ConnectionMatch>(
  matches: readonly Match[],
  port: number,
  scene: Scene,
): Match[] {
  const possible = matchesAt(matches, port);
  const all = possible.findIndex((match) => isUnconditional(conditionsOf(match)));
  if (all === 0) return [];
  return (all === -1 ? possible : possible.slice(0, all + 1)).map((match) =>
    bySelector(withoutPlace(match), scene),
  );
}

/** The very message where it names neither port nor gateways. */
const withoutPlace = <Match extends HttpMatch | ConnectionMatch>(match: Match): Match =>
  match.port === 0 && match.gateways.length === 0 ? match : { ...match, port: 0, gateways: [] };

/**
 * A condition that callers belong to a service, as one on their labels: Kubernetes chooses a service's pods by these.
 * @returns the very match where it wants no such thing, or none of the service's pods
 */
function bySelector<Match extends HttpMatch | ConnectionMatch>(match: Match, scene: Scene): Match {
  const { source } = match;
  if (source === undefined || source.hostname === "") return match;
  const { namespace = "", selector } = scene.service(scene.canonical(source.hostname)) ?? {};
  if (selector === undefined || contradicts(source, selector)) return match;
  const labels = Object.fromEntries(
    Object.entries({ ...selector, ...source.labels }).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  return { ...match, source: { ...source, hostname: "", namespace, labels } };
}

const contradicts = ({ labels }: SourceMatch, selector: Readonly<Record<string, string>>): boolean =>
  Object.entries(selector).some(([key, value]) => (labels[key] ?? value) !== value);

/** Those that may hold for callers in the mesh that dial `port`. */
const matchesAt = <Match extends HttpMatch | ConnectionMatch>(
  matches: readonly Match[],
  port: number,
): Match[] =>
  matches.filter(
    (match) =>
      (match.port === 0 || match.port === port) &&
      (match.gateways.length === 0 || match.gateways.includes(meshGateway)),
  );

export const isUnconditional = (conditions: Conditions): boolean =>
  Object.values(conditions).every((part: readonly string[]) => part.length === 0);

function conditionsOf(match: HttpMatch | ConnectionMatch): Conditions {
  const source = match.source === undefined ? [] : describeSource(match.source);
  if (match.$typeName === "keelson.policy.v1.HttpMatch") {
    return { ...none, request: requestParts(match), source };
  }
  const addresses = [
    ...match.sourceSubnets.map((subnet) => `from ${subnet}`),
    ...match.destinationSubnets.map((subnet) => `to ${subnet}`),
  ];
  return { request: [], source, addresses, serverNames: match.sniHosts };
}

function requestParts(match: HttpMatch): string[] {
  const { scheme, method, authority } = match;
  const uri = isAnyPath(match.uri) ? undefined : match.uri;
  const pseudo = Object.entries({ authority, method, scheme, uri }).filter(
    ([, value]) => value !== undefined,
  );
  return [
    ...pseudo.map(([name]) => name),
    ...match.headers.map(({ name }) => `header ${name}`),
    ...match.queryParameters.map(({ name }) => `query parameter ${name}`),
  ];
}

/** As Envoys are told: such a match leaves nothing to the routes behind it. */
function isAnyPath(uri: StringMatch | undefined): boolean {
  const { case: how, value } = uri?.how ?? {};
  return how === "prefix" ? value === "/" || value === "" : how === "regex" && value === ".*";
}

function describeSource({ hostname, namespace, labels }: SourceMatch): string[] {
  const parts = [
    hostname,
    namespace === "" ? "" : `namespace ${namespace}`,
    ...Object.entries(labels).map(([key, value]) => `${key}=${value}`),
  ];
  const text = parts.filter((part) => part !== "").join(" ");
  return text === "" ? [] : [text];
}
