import type { EndpointSet, ExternalName, Service, Workload } from "@keelson/protos/policy";
import type { Extension, Gateway, Mesh, PeerAuthentication, SidecarScope } from "@keelson/protos/proxy";
import type { RouteTable } from "@keelson/protos/route";
import type { HostPolicy } from "@keelson/protos/traffic-policy";

/**
 * The policy IR of one moment as messages, by resource name. Immutable; a message that did not change since the
 * snapshot before is the same object. Whatever serves proxies is made from this alone.
 */
export interface PolicyIr {
  readonly mesh: Mesh;
  /** Sorted by hostname. */
  readonly services: ReadonlyMap<string, Service>;
  /** By hostname. */
  readonly externalNames: ReadonlyMap<string, ExternalName>;
  /** Of every port of every service, and of every subset, named as Istio names clusters. */
  readonly endpointSets: ReadonlyMap<string, EndpointSet>;
  readonly workloads: ReadonlyMap<string, Workload>;
  /** In the order in which they are asked: the first that has a host wins it. */
  readonly routeTables: ReadonlyMap<string, RouteTable>;
  /** In the order in which they are asked. */
  readonly hostPolicies: ReadonlyMap<string, HostPolicy>;
  readonly gateways: ReadonlyMap<string, Gateway>;
  readonly sidecarScopes: ReadonlyMap<string, SidecarScope>;
  /** The older one first. */
  readonly peerAuthentications: ReadonlyMap<string, PeerAuthentication>;
  /** In the order in which requests pass through those of one phase. */
  readonly extensions: ReadonlyMap<string, Extension>;
}
