import { create } from "@bufbuild/protobuf";
import {
  type Filter,
  type FilterChain,
  type FilterChainMatchSchema,
  FilterChainSchema,
  FilterSchema,
} from "@envoyproxy/xds-protos/envoy/config/listener/v3/listener_components_pb.js";
import { TcpProxySchema } from "@envoyproxy/xds-protos/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import { ApplicationProtocol, type Destination } from "@keelson/protos/policy";
import type { ConnectionRoute } from "@keelson/protos/route";
import { weighted } from "../destination.ts";
import { mayMatch } from "../listener/connection-chains.ts";
import { type Init, typedConfig } from "../wire.ts";
import { type RelayCluster, relayClusterOf } from "./relay-clusters.ts";
import { relayManager } from "./relay-manager.ts";
import { type RelayCaller, type RelayedPort, traitsOfCaller } from "./relay-mesh.ts";
import { relayedPrefix, relayRouteName } from "./relay-names.ts";

/** What becomes of the connections to one port, and the clusters that they lead to. */
export interface RelayChains {
  readonly chains: readonly RelayChain[];
  readonly clusters: readonly RelayCluster[];
}

export interface RelayChain {
  readonly name: string;
  readonly match: Init<typeof FilterChainMatchSchema>;
  readonly filter: Filter;
}

type Match = Init<typeof FilterChainMatchSchema>;

const speaksHttp: ReadonlySet<ApplicationProtocol> = new Set([
  ApplicationProtocol.HTTP,
  ApplicationProtocol.HTTP2,
  ApplicationProtocol.GRPC,
  ApplicationProtocol.GRPC_WEB,
  ApplicationProtocol.HTTP_PROXY,
]);

const isClear: Match = { transportProtocol: "raw_buffer" };
const isTls: Match = { transportProtocol: "tls" };
/** What Envoy's inspector finds. */
const isHttp: Match = { ...isClear, applicationProtocols: ["http/1.0", "http/1.1", "h2c"] };

/**
 * The chains of a port, by which Envoy tells HTTP, server names and other bytes apart. A port that has lost its routes has
 * none: Envoy then lets the connections that are there end with their next answer.
 */
export function relayChains(
  service: bigint,
  relayed: RelayedPort,
  caller: RelayCaller | undefined,
): RelayChains {
  const { port } = relayed;
  const { applicationProtocol: protocol, routes, connectionRoutes } = port;
  if (routes.length === 0 && connectionRoutes.length === 0) return { chains: [], clusters: [] };
  const clusters = new Map<string, RelayCluster>();
  const name = relayRouteName(service, caller);
  const prefix = relayedPrefix(service, caller);
  const chains: RelayChain[] = [];
  const add = (match: Match, filter: Filter | undefined): void => {
    if (filter === undefined) return;
    const prefixRanges = [{ addressPrefix: prefix.address, prefixLen: prefix.length }];
    chains.push({ name: `${name} ${chains.length}`, match: { ...match, prefixRanges }, filter });
  };
  const bytesTo = (destinations: readonly Destination[], route?: ConnectionRoute): Filter | undefined =>
    bytesFilter(
      destinations.map((destination, index) => {
        const cluster = relayClusterOf(destination, route?.destinations[index], protocol);
        clusters.set(cluster.name, cluster);
        return { name: cluster.name, weight: destination.weight };
      }),
    );

  const answersRequests =
    routes.length > 0 && (speaksHttp.has(protocol) || protocol === ApplicationProtocol.UNSPECIFIED);
  const isAlwaysHttp = answersRequests && speaksHttp.has(protocol);
  if (answersRequests) add(isAlwaysHttp ? isClear : isHttp, relayManager(name, protocol));
  const proxy = traitsOfCaller(caller);
  const taken = new Set<string>();
  let other: { destinations: readonly Destination[]; route?: ConnectionRoute } = port;
  for (const { route, destinations } of connectionRoutes) {
    if (route === undefined) continue;
    // Of where a caller is no more is known than that it is here.
    const held = route.matches.filter(
      (match) => match.sourceSubnets.length === 0 && mayMatch(match, port.port, [], { proxy }),
    );
    if (
      route.matches.length === 0 ||
      held.some(({ sniHosts }) => sniHosts.length === 0 || sniHosts.includes("*"))
    ) {
      other = { destinations, route };
    }
    const names = held.flatMap(({ sniHosts }) => sniHosts.map((host) => host.toLowerCase()));
    const serverNames = [...new Set(names)].filter((host) => host !== "*" && !taken.has(host)).sort();
    for (const host of serverNames) taken.add(host);
    if (serverNames.length > 0) add({ ...isTls, serverNames }, bytesTo(destinations, route));
    if (other !== port) break;
  }
  add(isTls, bytesTo(other.destinations, other.route));
  if (!isAlwaysHttp) add(isClear, bytesTo(other.destinations, other.route));
  return { chains, clusters: [...clusters.values()] };
}

/** Passes bytes on; undefined where there is nowhere to, so that the connection is closed. */
export function bytesFilter(
  targets: readonly { readonly name: string; readonly weight: number }[],
): Filter | undefined {
  const weights = new Map<string, number>();
  for (const { name, weight } of weighted(targets)) weights.set(name, (weights.get(name) ?? 0) + weight);
  const clusters = Array.from(weights, ([name, weight]) => ({ name, weight }));
  const [first, ...others] = clusters;
  if (first === undefined) return undefined;
  return create(FilterSchema, {
    name: "envoy.filters.network.tcp_proxy",
    configType: typedConfig(TcpProxySchema, {
      statPrefix: "relay",
      clusterSpecifier:
        others.length === 0
          ? { case: "cluster", value: first.name }
          : { case: "weightedClusters", value: { clusters } },
    }),
  });
}

/** @param before what every connection passes first */
export const filterChainOf = ({ name, match, filter }: RelayChain, before: Filter): FilterChain =>
  create(FilterChainSchema, { name, filterChainMatch: match, filters: [before, filter] });
