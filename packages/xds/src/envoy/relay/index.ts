import { create } from "@bufbuild/protobuf";
import {
  type Cluster,
  ClusterSchema,
  Cluster_DiscoveryType as DiscoveryType,
} from "@envoyproxy/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { ClusterLoadAssignmentSchema } from "@envoyproxy/xds-protos/envoy/config/endpoint/v3/endpoint_pb.js";
import { ListenerSchema } from "@envoyproxy/xds-protos/envoy/config/listener/v3/listener_pb.js";
import type { Resource } from "@keelson/protos";
import type { EndpointSet } from "@keelson/protos/policy";
import { loadAssignment } from "../endpoint/load-assignment.ts";
import { envoyTypeUrls } from "../type-urls.ts";
import { resourceOf } from "../wire.ts";
import { type RelayChain, relayChains } from "./relay-chains.ts";
import { type RelayCluster, relayCluster } from "./relay-clusters.ts";
import { relayListener } from "./relay-listener.ts";
import { callersOf, type RelayMesh } from "./relay-mesh.ts";
import { nowhere, relayRouteName } from "./relay-names.ts";
import { relayRoutes } from "./relay-routes.ts";

export { relayManager } from "./relay-manager.ts";
export type { RelayedPort, RelayMesh, RelayPlace } from "./relay-mesh.ts";

/** Resources by type and name. */
export type RelayResources = ReadonlyMap<string, ReadonlyMap<string, Resource>>;

/**
 * Everything that an Envoy gets which is a node's relay. Equal input gives equal bytes.
 * @param version stands in a cluster that nothing leads to, so that there is something to send, and to be acked, of each
 */
export function relayResources(mesh: RelayMesh, version: bigint): RelayResources {
  const clusters = new Map<string, RelayCluster>();
  const routes: Resource[] = [];
  const chains: RelayChain[] = [];
  for (const [service, relayed] of mesh.services) {
    for (const caller of callersOf(relayed, mesh)) {
      const ofRequests = relayRoutes(relayRouteName(service, caller), relayed, caller);
      const ofConnections = relayChains(service, relayed, caller);
      routes.push(ofRequests.resource);
      chains.push(...ofConnections.chains);
      for (const cluster of [...ofRequests.clusters, ...ofConnections.clusters])
        clusters.set(cluster.name, cluster);
    }
  }
  const services = [...mesh.services.values()];
  const listeners = mesh.places.map((place) => relayListener(place, chains, services));
  return new Map([
    [
      envoyTypeUrls.cluster,
      byName(
        [mark(version), ...[...clusters.values()].map(relayCluster)].map((one) =>
          resourceOf(ClusterSchema, one.name, one),
        ),
      ),
    ],
    [
      envoyTypeUrls.endpoint,
      byName([...clusters.values()].map((one) => endpointsOf(one, mesh.endpointSets))),
    ],
    [envoyTypeUrls.listener, byName(listeners.map((one) => resourceOf(ListenerSchema, one.name, one)))],
    [envoyTypeUrls.route, byName(routes)],
  ]);
}

const mark = (version: bigint): Cluster =>
  create(ClusterSchema, {
    name: nowhere,
    clusterDiscoveryType: { case: "type", value: DiscoveryType.STATIC },
    metadata: { filterMetadata: { relay: { version: String(version) } } },
  });

const byName = (resources: readonly Resource[]): ReadonlyMap<string, Resource> =>
  new Map(resources.map((resource) => [resource.name, resource]));

/** Of pods with addresses of both families those of IPv4: each would count twice, and callers may lack IPv6. */
function endpointsOf({ name, endpointSet }: RelayCluster, sets: ReadonlyMap<string, EndpointSet>): Resource {
  const all = sets.get(endpointSet)?.endpoints.filter(({ address }) => address.length > 0) ?? [];
  const ipv4 = all.filter(({ address }) => address.length === 4);
  return resourceOf(ClusterLoadAssignmentSchema, name, loadAssignment(name, ipv4.length > 0 ? ipv4 : all));
}
