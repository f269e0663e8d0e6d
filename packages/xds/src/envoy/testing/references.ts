import { fromBinary } from "@bufbuild/protobuf";
import { ClusterSchema } from "@envoyproxy/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import type { FilterChain } from "@envoyproxy/xds-protos/envoy/config/listener/v3/listener_components_pb.js";
import {
  type Listener,
  ListenerSchema,
} from "@envoyproxy/xds-protos/envoy/config/listener/v3/listener_pb.js";
import type { RouteAction } from "@envoyproxy/xds-protos/envoy/config/route/v3/route_components_pb.js";
import {
  type RouteConfiguration,
  RouteConfigurationSchema,
} from "@envoyproxy/xds-protos/envoy/config/route/v3/route_pb.js";
import {
  type HttpConnectionManager,
  HttpConnectionManagerSchema,
} from "@envoyproxy/xds-protos/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import {
  type TcpProxy,
  TcpProxySchema,
} from "@envoyproxy/xds-protos/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import type { ProxyView } from "../proxy-view.ts";
import { envoyTypeUrls } from "../type-urls.ts";
import { typeUrlOf } from "../wire.ts";

/** The resources of a view, decoded. */
export const clustersOf = (view: ProxyView) =>
  [...view.resources(envoyTypeUrls.cluster).values()].map(({ body }) => fromBinary(ClusterSchema, body));
export const listenersOf = (view: ProxyView): Listener[] =>
  [...view.resources(envoyTypeUrls.listener).values()].map(({ body }) => fromBinary(ListenerSchema, body));
export const routesOf = (view: ProxyView): RouteConfiguration[] =>
  [...view.resources(envoyTypeUrls.route).values()].map(({ body }) =>
    fromBinary(RouteConfigurationSchema, body),
  );

export const chainsOf = ({ filterChains, defaultFilterChain }: Listener): FilterChain[] =>
  defaultFilterChain === undefined ? filterChains : [...filterChains, defaultFilterChain];

/** The HTTP managers and TCP proxies of a chain. */
export function filtersOf(chain: FilterChain): { managers: HttpConnectionManager[]; proxies: TcpProxy[] } {
  const bodies = (typeUrl: string): Uint8Array[] =>
    chain.filters.flatMap(({ configType }) =>
      configType.case === "typedConfig" && configType.value.typeUrl === typeUrl ? configType.value.value : [],
    );
  return {
    managers: bodies(typeUrlOf(HttpConnectionManagerSchema)).map((body) =>
      fromBinary(HttpConnectionManagerSchema, body),
    ),
    proxies: bodies(typeUrlOf(TcpProxySchema)).map((body) => fromBinary(TcpProxySchema, body)),
  };
}

function clustersOfAction({ clusterSpecifier, requestMirrorPolicies }: RouteAction): string[] {
  const mirrors = requestMirrorPolicies.map(({ cluster }) => cluster);
  switch (clusterSpecifier.case) {
    case "cluster":
      return [clusterSpecifier.value, ...mirrors];
    case "weightedClusters":
      return [...clusterSpecifier.value.clusters.map(({ name }) => name), ...mirrors];
    default:
      return mirrors;
  }
}

const clustersOfRoutes = ({ virtualHosts }: RouteConfiguration): string[] =>
  virtualHosts.flatMap(({ routes }) =>
    routes.flatMap(({ action }) => (action.case === "route" ? clustersOfAction(action.value) : [])),
  );

const clustersOfProxy = ({ clusterSpecifier }: TcpProxy): string[] =>
  clusterSpecifier.case === "weightedClusters"
    ? clusterSpecifier.value.clusters.map(({ name }) => name)
    : [clusterSpecifier.value ?? ""];

const filters = (view: ProxyView) => listenersOf(view).flatMap(chainsOf).map(filtersOf);

/** Every cluster that listeners and routes send something to. */
export function referencedClusters(view: ProxyView): Set<string> {
  const inListeners = filters(view).flatMap(({ managers, proxies }) => [
    ...proxies.flatMap(clustersOfProxy),
    ...managers.flatMap(({ routeSpecifier }) =>
      routeSpecifier.case === "routeConfig" ? clustersOfRoutes(routeSpecifier.value) : [],
    ),
  ]);
  return new Set([...inListeners, ...routesOf(view).flatMap(clustersOfRoutes)]);
}

/** Every route configuration that listeners ask for. */
export const referencedRoutes = (view: ProxyView): Set<string> =>
  new Set(
    filters(view).flatMap(({ managers }) =>
      managers.flatMap(({ routeSpecifier }) =>
        routeSpecifier.case === "rds" ? routeSpecifier.value.routeConfigName : [],
      ),
    ),
  );
