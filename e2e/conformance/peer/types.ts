import { fromBinary } from "@bufbuild/protobuf";
import { ClusterSchema } from "@envoyproxy/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { TypedExtensionConfigSchema } from "@envoyproxy/xds-protos/envoy/config/core/v3/extension_pb.js";
import { ClusterLoadAssignmentSchema } from "@envoyproxy/xds-protos/envoy/config/endpoint/v3/endpoint_pb.js";
import { ListenerSchema } from "@envoyproxy/xds-protos/envoy/config/listener/v3/listener_pb.js";
import { RouteConfigurationSchema } from "@envoyproxy/xds-protos/envoy/config/route/v3/route_pb.js";

const typeUrlOf = (schema: { readonly typeName: string }): string => `type.googleapis.com/${schema.typeName}`;

/** Type URLs by the names that Envoy's documentation has for their discovery services. */
export const types = {
  cds: typeUrlOf(ClusterSchema),
  eds: typeUrlOf(ClusterLoadAssignmentSchema),
  lds: typeUrlOf(ListenerSchema),
  rds: typeUrlOf(RouteConfigurationSchema),
  ecds: typeUrlOf(TypedExtensionConfigSchema),
  health: "type.googleapis.com/istio.v1.HealthInformation",
} as const;

const { cds, eds, lds, rds, ecds } = types;

/** Types of which a first request without names wants everything; of the others resources are asked for by name. */
export const isWildcardType = (typeUrl: string): boolean => ![eds, rds, ecds].includes(typeUrl);

const nameReaders: Readonly<Record<string, (body: Uint8Array) => string>> = {
  [cds]: (body) => fromBinary(ClusterSchema, body).name,
  [eds]: (body) => fromBinary(ClusterLoadAssignmentSchema, body).clusterName,
  [lds]: (body) => fromBinary(ListenerSchema, body).name,
  [rds]: (body) => fromBinary(RouteConfigurationSchema, body).name,
  [ecds]: (body) => fromBinary(TypedExtensionConfigSchema, body).name,
};

/** @returns the name that a resource's body says; undefined for types that are not known here. */
export const nameInBody = (typeUrl: string, body: Uint8Array): string | undefined =>
  nameReaders[typeUrl]?.(body);

/** "CDS" for a cluster's type URL; the URL itself if it has no such name. */
export function shortName(typeUrl: string): string {
  const found = Object.entries(types).find(([, url]) => url === typeUrl);
  return found?.[0].toUpperCase() ?? typeUrl;
}
