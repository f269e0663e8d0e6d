// What a resource's body says, as far as cases look at it.
import { fromBinary } from "@bufbuild/protobuf";
import {
  type Cluster,
  Cluster_DiscoveryType,
  ClusterSchema,
} from "@envoyproxy/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { ClusterLoadAssignmentSchema } from "@envoyproxy/xds-protos/envoy/config/endpoint/v3/endpoint_pb.js";
import { RouteConfigurationSchema } from "@envoyproxy/xds-protos/envoy/config/route/v3/route_pb.js";
import type { Received } from "./messages.ts";

/** Of a ClusterLoadAssignment: "address:port" of all endpoints, sorted. */
export function endpointsOf({ body }: Received): string[] {
  const { endpoints } = fromBinary(ClusterLoadAssignmentSchema, body);
  return endpoints
    .flatMap(({ lbEndpoints }) => lbEndpoints)
    .flatMap(({ hostIdentifier }) => {
      if (hostIdentifier.case !== "endpoint") return [];
      const address = hostIdentifier.value.address?.address;
      if (address?.case !== "socketAddress") return [];
      const { address: host, portSpecifier } = address.value;
      return [`${host}:${portSpecifier.case === "portValue" ? portSpecifier.value : ""}`];
    })
    .sort();
}

/** Names of the clusters that a RouteConfiguration leads to. */
export function clustersOf({ body }: Received): ReadonlySet<string> {
  const { virtualHosts } = fromBinary(RouteConfigurationSchema, body);
  const names = virtualHosts
    .flatMap(({ routes }) => routes)
    .flatMap(({ action }) => {
      if (action.case !== "route") return [];
      const { clusterSpecifier: to } = action.value;
      if (to.case === "cluster") return [to.value];
      return to.case === "weightedClusters" ? to.value.clusters.map(({ name }) => name) : [];
    });
  return new Set(names);
}

/** Whether a Cluster gets its endpoints by EDS over the same stream. */
export function isEdsCluster({ body }: Received): boolean {
  const { clusterDiscoveryType: type }: Cluster = fromBinary(ClusterSchema, body);
  return type.case === "type" && type.value === Cluster_DiscoveryType.EDS;
}
