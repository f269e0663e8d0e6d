import { ClusterLoadAssignmentSchema } from "@envoyproxy/xds-protos/envoy/config/endpoint/v3/endpoint_pb.js";
import type { Resource } from "@keelson/protos";
import type { Endpoint, EndpointSet } from "@keelson/protos/policy";
import { dataKey, Interner } from "../state/interner.ts";
import { resourceOf } from "../wire.ts";
import { loadAssignment } from "./load-assignment.ts";
import type { LocalityPlan } from "./locality-plan.ts";

/** Where a cluster's endpoints are found, and which of them it gets in which order. */
export interface EndpointSource {
  /** Name of an endpoint set. */
  readonly set: string;
  readonly plan: LocalityPlan | undefined;
  /** Those that take clear text are left out. */
  readonly onlyMutualTls: boolean;
  /** Those that are reached through tunnels are: a waypoint begins them. */
  readonly tunnels?: boolean;
}

/** Makes the endpoints of clusters, once for all proxies that get the same. */
export class Assignments {
  private readonly remembered = new WeakMap<EndpointSet, Map<string, Resource>>();
  private readonly empty = new Interner<Resource>();

  /** @param set undefined: the cluster has no endpoint, which Envoy is told, too. */
  get(clusterName: string, set: EndpointSet | undefined, source: EndpointSource): Resource {
    if (set === undefined) return this.empty.get(clusterName, () => encode(clusterName, none, source));
    // The name of a cluster that only takes mutual TLS, or has tunnels, is like no other.
    const key = source.plan === undefined ? clusterName : `${clusterName} ${dataKey(source.plan)}`;
    const known = this.remembered.get(set) ?? new Map<string, Resource>();
    this.remembered.set(set, known);
    const resource = known.get(key) ?? encode(clusterName, set, source);
    known.set(key, resource);
    return resource;
  }
}

const none: Pick<EndpointSet, "endpoints" | "draining"> = { endpoints: [], draining: [] };

function encode(
  clusterName: string,
  set: Pick<EndpointSet, "endpoints" | "draining">,
  { plan, onlyMutualTls, tunnels = false }: EndpointSource,
): Resource {
  // A name instead of an address is looked up only in clusters that hold their endpoints themselves.
  const endpoints = [...set.endpoints, ...set.draining].filter(
    ({ address, mutualTls }) => address.length > 0 && (mutualTls || !onlyMutualTls),
  );
  const draining: ReadonlySet<Endpoint> = new Set(set.draining);
  return resourceOf(
    ClusterLoadAssignmentSchema,
    clusterName,
    loadAssignment(clusterName, endpoints, { plan, tunnels, draining }),
  );
}
