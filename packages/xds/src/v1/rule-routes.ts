import type { HttpMatch } from "@keelson/protos/match";
import type { HttpRoute, RouteDestination, RouteTable } from "@keelson/protos/route";
import type { Subset } from "@keelson/protos/traffic-policy";
import { compareSpecificity, isSubsetOf } from "../envoy/hosts.ts";
import { meshGateway, RouteTableIndex } from "../envoy/index/route-tables.ts";
import { isExportedTo } from "../envoy/index/services.ts";
import { type Caller, isMeant } from "./caller.ts";
import type { ClusterPlan, OutboundClusters } from "./clusters.ts";
import type { Directory, V1Port } from "./directory.ts";
import { faultFilter } from "./faults.ts";
import { type RequestMatch, requestMatches, rewrittenPath, takesAll } from "./match.ts";
import { defaultRoute, type RoutePlan } from "./routes.ts";
import type { Labels } from "./service-key.ts";
import { unknownMatches } from "./unknown-parts.ts";

/** Envoy's retry_on where a rule says nothing. */
const defaultRetryOn = "5xx,connect-failure,refused-stream";

/** Labels of a named subset of a host; undefined: there is none. */
export type SubsetLookup = (hostname: string, name: string) => Subset | undefined;

interface RuleRoutesOptions {
  readonly tables: ReadonlyMap<string, RouteTable>;
  readonly directory: Directory;
  readonly clusters: OutboundClusters;
  readonly findSubset: SubsetLookup;
}

/** Makes the routes of hosts from rules about them. */
export class RuleRoutes {
  private readonly index: RouteTableIndex;
  private readonly options: RuleRoutesOptions;

  constructor(options: RuleRoutesOptions) {
    this.options = options;
    this.index = new RouteTableIndex(options.tables);
  }

  /**
   * Routes of a host's port for one caller, in the order of the rules, up to the first that takes every request; else
   * all that is left goes to the host itself.
   */
  of(hostname: string, port: V1Port, caller: Caller): RoutePlan[] {
    const routes: RoutePlan[] = [];
    for (const [route, match] of this.asked(hostname, port, caller)) {
      routes.push(this.plan(route, match, hostname, port));
      if (takesAll(match)) return routes;
    }
    return [...routes, defaultRoute(this.options.clusters.of(hostname, port))];
  }

  /** Rules about a host that say how its own proxies take requests: those of WebSockets. */
  websocketRoutes(hostname: string): { readonly route: HttpRoute; readonly match: RequestMatch }[] {
    const [table] = this.tablesOf(hostname);
    return (table?.http ?? [])
      .filter((route) => route.websocketUpgrade)
      .flatMap((route) =>
        matchesOf(route)
          .filter(isKnown)
          .flatMap(requestMatches)
          .map((match) => ({ route, match })),
      );
  }

  private *asked(
    hostname: string,
    port: V1Port,
    caller: Caller,
  ): Generator<readonly [HttpRoute, RequestMatch]> {
    const table = this.tablesOf(hostname).find((each) => isExportedTo(each, caller.namespace));
    for (const route of table?.http ?? []) {
      for (const match of matchesOf(route)) {
        if (!isKnown(match) || !mayMatch(match, port, caller)) continue;
        for (const wanted of requestMatches(match)) yield [route, wanted];
      }
    }
  }

  /** The most specific host first; of one host, in the order of the policy IR. */
  private tablesOf(hostname: string): readonly RouteTable[] {
    return this.index
      .withHost(hostname)
      .map((table) => {
        const hosts = table.hosts.filter((host) => isSubsetOf(hostname, host));
        return { table, host: hosts.sort(compareSpecificity)[0] };
      })
      .flatMap(({ table, host }) => (host === undefined ? [] : [{ table, host }]))
      .sort((a, b) => compareSpecificity(a.host, b.host))
      .map(({ table }) => table);
  }

  private plan(route: HttpRoute, match: RequestMatch, hostname: string, port: V1Port): RoutePlan {
    const { redirect, rewrite, retries, fault, timeoutMs } = route;
    const chosen = this.destinations(route, hostname, port);
    const clusters = chosen.map(({ cluster }) => cluster);
    const mirror = route.mirrors[0]?.destination;
    const shadow = mirror && this.clusterOf(mirror, port);
    return {
      match,
      ...(rewrite && { prefixRewrite: rewrittenPath(match, rewrite.uri), hostRewrite: rewrite.authority }),
      ...(redirect && { pathRedirect: redirect.uri, hostRedirect: redirect.authority }),
      destinations: redirect ? [] : chosen.map(({ cluster, weight }) => ({ name: cluster.name, weight })),
      timeoutMs: timeoutMs === undefined ? undefined : Number(timeoutMs),
      ...(retries && retries.attempts > 0 && { retries: retryPlan(retries) }),
      websocket: route.websocketUpgrade,
      ...(shadow && { shadow: shadow.name }),
      headersToAdd: Object.entries(route.requestHeaders?.add ?? {})
        .map(([key, value]) => ({ key, value }))
        .sort((a, b) => (a.key < b.key ? -1 : 1)),
      ...(route.cors && { cors: route.cors }),
      // "RouteRule default/reviews" → "reviews"
      operation: route.rule.slice(route.rule.lastIndexOf("/") + 1),
      clusters: [...clusters, ...(shadow ? [shadow] : [])],
      faults: fault ? clusters.flatMap(({ name }) => faultFilter(name, fault, match.headers) ?? []) : [],
    };
  }

  private destinations(
    { destinations, directResponse }: HttpRoute,
    hostname: string,
    port: V1Port,
  ): { cluster: ClusterPlan; weight: number }[] {
    const { clusters } = this.options;
    // These proxies answer nothing themselves: nobody is behind this name, so that they answer 503.
    if (directResponse !== undefined) return [{ cluster: clusters.of("nobody.invalid", port), weight: 100 }];
    if (destinations.length === 0) return [{ cluster: clusters.of(hostname, port), weight: 100 }];
    const weights = percentages(destinations.map(({ weight }) => weight));
    return destinations.map((destination, i) => ({
      cluster: this.clusterOf(destination, port),
      weight: weights[i] ?? 0,
    }));
  }

  private clusterOf(destination: RouteDestination, port: V1Port): ClusterPlan {
    const { hostname, subset, labels, port: wanted } = destination;
    const found = wanted === 0 ? port : this.portOf(hostname, wanted, port);
    const chosen: Labels =
      subset === "" ? labels : (this.options.findSubset(hostname, subset)?.labels ?? noLabels(subset));
    return this.options.clusters.of(hostname, found, chosen);
  }

  private portOf(hostname: string, number: number, dialled: V1Port): V1Port {
    const service = this.options.directory.get(hostname);
    return service?.ports.find(({ port }) => port === number) ?? { ...dialled, port: number };
  }
}

/** No endpoint has this label, so that a subset that is not there has none. */
const noLabels = (subset: string): Labels => ({ "keelson-unknown-subset": subset });

const matchesOf = ({ matches }: HttpRoute): readonly (HttpMatch | undefined)[] =>
  matches.length === 0 ? [undefined] : matches;

const isKnown = (match: HttpMatch | undefined): boolean =>
  match === undefined || unknownMatches(match).length === 0;

function mayMatch(match: HttpMatch | undefined, { port }: V1Port, caller: Caller): boolean {
  if (match === undefined) return true;
  if (match.port !== 0 && match.port !== port) return false;
  if (match.gateways.length > 0 && !match.gateways.includes(meshGateway)) return false;
  return isMeant(caller, match.source);
}

const retryPlan = ({ attempts, perTryTimeoutMs, retryOn }: NonNullable<HttpRoute["retries"]>) => ({
  attempts,
  perTryTimeoutMs: Number(perTryTimeoutMs),
  on: retryOn || defaultRetryOn,
});

/** These proxies want weights that add up to 100; what the division leaves goes to the largest remainders. */
export function percentages(weights: readonly number[]): number[] {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  if (sum === 100) return [...weights];
  const shares = weights.map((weight) => (sum === 0 ? 100 / weights.length : (100 * weight) / sum));
  const whole = shares.map(Math.floor);
  const left = 100 - whole.reduce((total, share) => total + share, 0);
  const byRemainder = shares
    .map((share, i) => ({ i, remainder: share - Math.floor(share) }))
    .sort((a, b) => b.remainder - a.remainder || a.i - b.i);
  for (const { i } of byRemainder.slice(0, left)) whole[i] = (whole[i] ?? 0) + 1;
  return whole;
}
