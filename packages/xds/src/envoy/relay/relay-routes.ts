import { create } from "@bufbuild/protobuf";
import { RouteConfigurationSchema } from "@envoyproxy/xds-protos/envoy/config/route/v3/route_pb.js";
import type { Resource } from "@keelson/protos";
import { type Destination, type PortRoute, PortRouteSchema, ServiceSchema } from "@keelson/protos/policy";
import {
  type HttpRoute,
  HttpRouteSchema,
  MirrorSchema,
  type RouteDestination,
  RouteDestinationSchema,
  RouteTableSchema,
} from "@keelson/protos/route";
import { HostPolicySchema } from "@keelson/protos/traffic-policy";
import type { RoutingContext } from "../context.ts";
import { meshGateway } from "../index/route-tables.ts";
import { routesOf } from "../route/routes.ts";
import { resourceOf } from "../wire.ts";
import { type RelayCluster, relayClusterOf } from "./relay-clusters.ts";
import { type RelayCaller, type RelayedPort, traitsOfCaller } from "./relay-mesh.ts";
import { nowhere } from "./relay-names.ts";

/** As much as a validated rule may answer with directly. */
const maxDirectResponseBodySizeBytes = 1024 * 1024;

/** The routes of a port, and the clusters that they lead to. */
export interface RelayRoutes {
  readonly resource: Resource;
  readonly clusters: readonly RelayCluster[];
}

/** A port that has lost its routes answers on open connections as it does for new ones, which go past the relay. */
const portRoutes = ({ routes, destinations }: RelayedPort["port"]): readonly PortRoute[] =>
  routes.length > 0 ? routes : [create(PortRouteSchema, { route: {}, destinations })];

/** @param name of the route configuration; @param caller undefined: anybody, of whom nothing is known */
export function relayRoutes(
  name: string,
  { hostname, port }: RelayedPort,
  caller: RelayCaller | undefined,
): RelayRoutes {
  const clusters = new Map<string, RelayCluster>();
  const clusterOf = (destination: Destination, named: RouteDestination | undefined): string => {
    const cluster = relayClusterOf(destination, named, port.applicationProtocol);
    clusters.set(cluster.name, cluster);
    return cluster.name;
  };
  const http = portRoutes(port).flatMap((route) => withClusters(route, clusterOf) ?? []);
  const routes = routesOf({
    table: create(RouteTableSchema, { name: hostname, http }),
    port: port.port,
    gateway: meshGateway,
    isTls: false,
    defaultCluster: nowhere,
    context: contextOf(clusters, caller),
  });
  const configuration = create(RouteConfigurationSchema, {
    name,
    validateClusters: false,
    maxDirectResponseBodySizeBytes,
    virtualHosts: [{ name: `${hostname}:${port.port}`, domains: ["*"], routes }],
  });
  return {
    resource: resourceOf(RouteConfigurationSchema, name, configuration),
    clusters: [...clusters.values()],
  };
}

/** The route with the names of clusters in the place of its destinations' hostnames; undefined: there is none. */
function withClusters(
  { route, destinations, mirrors }: PortRoute,
  clusterOf: (destination: Destination, named: RouteDestination | undefined) => string,
): HttpRoute | undefined {
  if (route === undefined) return undefined;
  const { requestHeaders, responseHeaders, matches, rule } = route;
  const isNamed = route.name !== "" || matches.some(({ name }) => name !== "");
  return create(HttpRouteSchema, {
    ...route,
    name: isNamed ? route.name : rule,
    ...(requestHeaders && { requestHeaders }),
    ...(responseHeaders && { responseHeaders }),
    destinations: destinations.map((destination, index) => {
      const named = route.destinations[index];
      return create(RouteDestinationSchema, {
        hostname: clusterOf(destination, named),
        weight: destination.weight,
        ...(named?.requestHeaders && { requestHeaders: named.requestHeaders }),
        ...(named?.responseHeaders && { responseHeaders: named.responseHeaders }),
      });
    }),
    mirrors: route.mirrors.flatMap(({ destination, percent }, index) => {
      const mirror = mirrors[index];
      return mirror === undefined
        ? []
        : [create(MirrorSchema, { percent, destination: { hostname: clusterOf(mirror, destination) } })];
    }),
  });
}

/** Each cluster is a host of its own, and has the policy of its destination. */
const contextOf = (
  clusters: ReadonlyMap<string, RelayCluster>,
  caller: RelayCaller | undefined,
): RoutingContext => ({
  proxy: traitsOfCaller(caller),
  visible: (hostname) => create(ServiceSchema, { hostname }),
  policyOf: ({ hostname }) => {
    const policy = clusters.get(hostname)?.policy;
    return policy && create(HostPolicySchema, { policy });
  },
  clusterName: (_port, _subset, hostname) => hostname,
});
