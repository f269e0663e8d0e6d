import type { Resource } from "@keelson/protos";
import type { ClusterEntry } from "../cluster/service-clusters.ts";
import type { ResourceMap } from "./resource-maps.ts";

/** What proxies of one kind have in common. Immutable; each list is made when it is first asked for. */
export interface SharedResources {
  readonly clusters: ResourceMap;
  readonly listeners: ResourceMap;
  readonly routes: ResourceMap;
  readonly endpoints: ResourceMap;
  readonly nameTable: ResourceMap;
  /** Services whose endpoints this depends on. */
  readonly hostnames: Iterable<string>;
  /** What has been made so far. */
  readonly lists: Made;
  /** Routes that no listener of these asks for. */
  unknownRoutes(name: string): Resource;
  /** The same after some endpoint sets changed. @param changed names of sets. */
  withEndpoints(changed: ReadonlySet<string>): SharedResources;
}

/** Lists that an earlier state had made, to be kept where they are still right. */
export interface Made {
  entries?: readonly ClusterEntry[];
  clusters?: ResourceMap;
  listeners?: ResourceMap;
  routes?: ResourceMap;
  endpoints?: ResourceMap;
  nameTable?: ResourceMap;
}
