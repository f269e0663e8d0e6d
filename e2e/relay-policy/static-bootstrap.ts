import { type DescMessage, fromBinary, type JsonValue, type MessageShape, toJson } from "@bufbuild/protobuf";
import {
  type Cluster,
  ClusterSchema,
  Cluster_DiscoveryType as DiscoveryType,
} from "@envoyproxy/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { ClusterLoadAssignmentSchema } from "@envoyproxy/xds-protos/envoy/config/endpoint/v3/endpoint_pb.js";
import { ListenerSchema } from "@envoyproxy/xds-protos/envoy/config/listener/v3/listener_pb.js";
import { RouteConfigurationSchema } from "@envoyproxy/xds-protos/envoy/config/route/v3/route_pb.js";
import {
  type HttpConnectionManager,
  HttpConnectionManagerSchema,
} from "@envoyproxy/xds-protos/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import type { PolicyIr, Resource } from "@keelson/protos";
import { ApplicationProtocol } from "@keelson/protos/policy";
import { EnvoyGenerator, envoyRegistry, envoyTypeUrls, type ProxyView } from "@keelson/xds/envoy";
import { relayManager, relayResources } from "@keelson/xds/envoy/relay";
import { aProxy } from "@keelson/xds/envoy/testing";
import type { Bootstrap } from "../peers/envoy.ts";
import type { Case } from "./cases.ts";
import { relayServiceOf, setsOf } from "./mesh.ts";

const json = <Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): JsonValue =>
  toJson(schema, message, { registry: envoyRegistry });

/**
 * An Envoy that has from the start what a sidecar gets of a mesh's one port: its routes, the clusters that they name, and
 * the manager that asks them, on a port of this machine.
 * @param listen the address is 127.0.0.1 if left out
 */
export function staticBootstrap(
  mesh: PolicyIr,
  dialled: number,
  { address = "127.0.0.1", port }: { readonly address?: string; readonly port: number },
): Bootstrap {
  const view = new EnvoyGenerator().view(mesh, aProxy());
  const name = `${dialled}`;
  const manager = managerJson(managerOf(view, name));
  return {
    static_resources: {
      listeners: [
        {
          name,
          address: { socket_address: { address, port_value: port } },
          filter_chains: [{ filters: [manager] }],
        },
      ],
      clusters: clustersOf(view).map((cluster) => json(ClusterSchema, cluster)),
    },
  };
}

/**
 * An Envoy that has from the start what a node's relay gets of these cases: the routes of each, asked on a port of this machine,
 * and the clusters that they name, whose connections are opened here.
 * @param ports one for each case
 */
export function relayBootstrap(
  cases: readonly Case[],
  echoPort: number,
  ports: readonly number[],
): Bootstrap {
  const numbers = [...cases.keys()];
  const resources = relayResources(
    {
      services: new Map(cases.map((one, number) => [BigInt(number + 1), relayServiceOf(one, number)])),
      endpointSets: new Map(
        numbers.flatMap((number) => setsOf(number, echoPort).map((set) => [set.name, set] as const)),
      ),
      workloads: new Map(),
      places: [],
    },
    1n,
  );
  const of = (type: string): ReadonlyMap<string, Resource> =>
    resources.get(type) ?? new Map<string, Resource>();
  const bodyOf = (type: string, name: string): Uint8Array => of(type).get(name)?.body ?? new Uint8Array();
  const clusters = [...of(envoyTypeUrls.cluster).values()]
    .map(({ body }) => fromBinary(ClusterSchema, body))
    .filter(({ edsClusterConfig }) => edsClusterConfig !== undefined)
    .map(({ edsClusterConfig: _eds, upstreamBindConfig: _bind, ...cluster }) => ({
      ...cluster,
      clusterDiscoveryType: { case: "type" as const, value: DiscoveryType.STATIC },
      loadAssignment: fromBinary(ClusterLoadAssignmentSchema, bodyOf(envoyTypeUrls.endpoint, cluster.name)),
    }));
  const listeners = numbers.map((number) => {
    const name = (number + 1).toString(16);
    const { configType } = relayManager(name, ApplicationProtocol.HTTP);
    if (configType.case !== "typedConfig") throw new Error("a manager without a configuration");
    const manager = fromBinary(HttpConnectionManagerSchema, configType.value.value);
    const value = fromBinary(RouteConfigurationSchema, bodyOf(envoyTypeUrls.route, name));
    manager.routeSpecifier = { case: "routeConfig", value };
    return {
      name,
      address: { socket_address: { address: "127.0.0.1", port_value: ports[number] } },
      filter_chains: [{ filters: [managerJson(manager)] }],
    };
  });
  return {
    static_resources: { listeners, clusters: clusters.map((cluster) => json(ClusterSchema, cluster)) },
  };
}

const managerJson = (manager: HttpConnectionManager): object => ({
  name: "envoy.filters.network.http_connection_manager",
  typed_config: {
    "@type": `type.googleapis.com/${HttpConnectionManagerSchema.typeName}`,
    ...(json(HttpConnectionManagerSchema, manager) as object),
  },
});

function lookup<Desc extends DescMessage>(
  view: ProxyView,
  type: string,
  schema: Desc,
  name: string,
): MessageShape<Desc> {
  const resource = view.lookup(type, name);
  if (resource === undefined) throw new Error(`the mesh has no ${schema.typeName} "${name}"`);
  return fromBinary(schema, resource.body);
}

/** The manager of the listener that asks the routes of this name, with the routes in it. */
function managerOf(view: ProxyView, routes: string): HttpConnectionManager {
  for (const { body } of view.resources(envoyTypeUrls.listener).values()) {
    for (const chain of fromBinary(ListenerSchema, body).filterChains) {
      for (const { configType } of chain.filters) {
        if (
          configType.case !== "typedConfig" ||
          !configType.value.typeUrl.endsWith(HttpConnectionManagerSchema.typeName)
        )
          continue;
        const manager = fromBinary(HttpConnectionManagerSchema, configType.value.value);
        if (manager.routeSpecifier.case !== "rds" || manager.routeSpecifier.value.routeConfigName !== routes)
          continue;
        const value = lookup(view, envoyTypeUrls.route, RouteConfigurationSchema, routes);
        manager.routeSpecifier = { case: "routeConfig", value };
        return manager;
      }
    }
  }
  throw new Error(`no listener asks the routes "${routes}"`);
}

/** Clusters of subsets, with their endpoints in them; those of whole services are not asked for. */
function clustersOf(view: ProxyView): Cluster[] {
  return [...view.resources(envoyTypeUrls.cluster).values()]
    .map(({ body }) => fromBinary(ClusterSchema, body))
    .filter(({ name }) => name.startsWith("outbound|") && !name.includes("||"))
    .map(({ edsClusterConfig: _eds, transportSocketMatches: _sockets, ...cluster }) => ({
      ...cluster,
      clusterDiscoveryType: { case: "type", value: DiscoveryType.STATIC },
      transportSocketMatches: [],
      loadAssignment: lookup(view, envoyTypeUrls.endpoint, ClusterLoadAssignmentSchema, cluster.name),
    }));
}
