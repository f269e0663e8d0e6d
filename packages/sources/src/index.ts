export type { ConfigSource, SourceEvents, SourceHealth, SourceSnapshot } from "./config-source.ts";
export { type FileContent, readConfigFile } from "./file/config-file.ts";
export { DirectorySource, type DirectorySourceOptions } from "./file/directory-source.ts";
export { type MeshContent, parseMeshConfig } from "./file/mesh-file.ts";
export { ApiError } from "./kubernetes/api-error.ts";
export { ApiServer, type GetOptions } from "./kubernetes/api-server.ts";
export { Backoff } from "./kubernetes/backoff.ts";
export type { Collection, RawObject } from "./kubernetes/collection.ts";
export { ConfigMapText, type ConfigMapTextOptions } from "./kubernetes/config-map-text.ts";
export { isInCluster, type KubeConfig, loadKubeConfig } from "./kubernetes/kube-config.ts";
export { KubernetesSource, type KubernetesSourceOptions } from "./kubernetes/kubernetes-source.ts";
export {
  type CollectionState,
  ListWatch,
  type ListWatchOptions,
  type Sink,
} from "./kubernetes/list-watch.ts";
export { type Resource, resources as kubernetesResources } from "./kubernetes/resources.ts";
export { MergedSource } from "./merged-source.ts";
