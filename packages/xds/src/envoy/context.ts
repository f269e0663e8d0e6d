import type { Resource } from "@keelson/protos";
import type { Endpoint, EndpointSet, Service } from "@keelson/protos/policy";
import type { Mesh } from "@keelson/protos/proxy";
import type { HostPolicy } from "@keelson/protos/traffic-policy";
import type { ExtensionIndex } from "./extension/extension-index.ts";
import type { HostPolicyIndex } from "./index/host-policies.ts";
import { isExportedTo, type ServiceIndex } from "./index/services.ts";
import { outboundClusterName } from "./names.ts";
import type { Scope } from "./scope/scope.ts";
import type { ProxyTraits } from "./traits.ts";

/**
 * The newest snapshot's indexes. Contexts hold these by reference, so that one that stays right does not keep the
 * indexes of the snapshot it was made in.
 */
export interface LiveIndexes {
  readonly services: ServiceIndex;
  readonly hostPolicies: HostPolicyIndex;
  endpointSet(name: string): EndpointSet | undefined;
  readonly extensions: ExtensionIndex;
}

/** What the resources of one kind of proxy are made from. */
export class Context {
  readonly mesh: Mesh;
  readonly proxy: ProxyTraits;
  readonly scope: Scope;
  private readonly indexes: LiveIndexes;

  constructor(mesh: Mesh, proxy: ProxyTraits, scope: Scope, indexes: LiveIndexes) {
    this.mesh = mesh;
    this.proxy = proxy;
    this.scope = scope;
    this.indexes = indexes;
  }

  /** Whether unknown destinations are passed on. Without redirected connections nobody knows where they were meant to go. */
  get passesThrough(): boolean {
    return this.scope.allowAny && this.proxy.interception !== "NONE";
  }

  get services(): ServiceIndex {
    return this.indexes.services;
  }

  endpointSet(name: string): EndpointSet | undefined {
    return this.indexes.endpointSet(name);
  }

  /** What the proxy's extensions are. */
  extensionConfigs(): Resource[] {
    return this.proxy.extensions.flatMap(({ name }) => this.indexes.extensions.config(name) ?? []);
  }

  /** Name of the cluster of a part of a service's endpoints. */
  clusterName(port: number, subset: string, hostname: string): string {
    return outboundClusterName(port, subset, hostname);
  }

  /** A service that the proxy may call. */
  visible(hostname: string): Service | undefined {
    const service = this.services.get(hostname);
    return service !== undefined && isExportedTo(service, this.proxy.namespace) ? service : undefined;
  }

  /** The policy that counts when this proxy calls a service. */
  policyOf(service: Service): HostPolicy | undefined {
    return this.indexes.hostPolicies.find(service, this.proxy);
  }

  /** All endpoints of a service's port. */
  endpointsOf({ hostname }: Service, port: number): readonly Endpoint[] {
    return this.endpointSet(outboundClusterName(port, "", hostname))?.endpoints ?? [];
  }
}

/** What routes and their destinations are made from. */
export type RoutingContext = Pick<Context, "visible" | "policyOf" | "clusterName"> & {
  readonly proxy: CallerTraits;
};

/** What conditions on callers are held against. */
export type CallerTraits = Pick<ProxyTraits, "namespace" | "labels" | "hostnames">;
