export type { Mesh } from "@keelson/protos/proxy";
export * from "./address.ts";
export * from "./config-object.ts";
export * from "./credentials/index.ts";
export * from "./debug-api.ts";
export { Derived } from "./derived.ts";
export { grpcStatusOf } from "./grpc-status.ts";
export { spiffeId } from "./identity.ts";
export {
  type ConfigMapObject,
  findKind,
  type GatewayObject,
  type HttpRouteObject,
  type KindDescription,
  type KnownObject,
  kinds,
  type SecretObject,
} from "./kinds/index.ts";
export * from "./kubelet-cgroups.ts";
export { mappedMap } from "./mapped-map.ts";
export { Memo } from "./memo.ts";
export { defaultLegacyMesh, defaultMesh } from "./mesh.ts";
export { readMeshConfig } from "./mesh-config.ts";
export { type MetadataRead, metadataRead, serviceNameLabel } from "./metadata-read.ts";
export * from "./model.ts";
export { type BuiltModel, ModelBuilder } from "./model-builder.ts";
export { isOurs as isOurGateway, listenerGatewayName } from "./normalise/gateways.ts";
export { resolveHost, serviceHostname } from "./normalise/hosts.ts";
export { type ParsedObject, parseObject } from "./parse-object.ts";
export { differingKeys, isSameMap, withChanges, withValues } from "./patched-map.ts";
export { type MutualTlsSettings, PeerAuthentications } from "./peer-authentications.ts";
export { suggest } from "./suggest.ts";
