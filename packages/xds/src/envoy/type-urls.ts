import { ClusterSchema } from "@envoyproxy/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { TypedExtensionConfigSchema } from "@envoyproxy/xds-protos/envoy/config/core/v3/extension_pb.js";
import { ClusterLoadAssignmentSchema } from "@envoyproxy/xds-protos/envoy/config/endpoint/v3/endpoint_pb.js";
import { ListenerSchema } from "@envoyproxy/xds-protos/envoy/config/listener/v3/listener_pb.js";
import { RouteConfigurationSchema } from "@envoyproxy/xds-protos/envoy/config/route/v3/route_pb.js";
import { SecretSchema } from "@envoyproxy/xds-protos/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { NameTableSchema } from "@keelson/protos/name-table";
import { typeUrlOf } from "./wire.ts";

/** What a proxy may ask for, in the order in which it must get them: what is referred to first. */
export const envoyTypeUrls = {
  cluster: typeUrlOf(ClusterSchema),
  endpoint: typeUrlOf(ClusterLoadAssignmentSchema),
  listener: typeUrlOf(ListenerSchema),
  route: typeUrlOf(RouteConfigurationSchema),
  secret: typeUrlOf(SecretSchema),
  extensionConfig: typeUrlOf(TypedExtensionConfigSchema),
  nameTable: typeUrlOf(NameTableSchema),
} as const;
