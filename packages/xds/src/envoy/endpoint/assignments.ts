import { ClusterLoadAssignmentSchema } from "@envoyproxy/xds-protos/envoy/config/endpoint/v3/endpoint_pb.js";
import type { Resource } from "@keelson/protos";
import type { EndpointSet } from "@keelson/protos/policy";
import { dataKey, Interner } from "../state/interner.ts";
import { resourceOf } from "../wire.ts";
import { loadAssignment } from "./load-assignment.ts";
import type { LocalityPlan } from "./locality-plan.ts";

/** Makes the endpoints of clusters, once for all proxies that get the same. */
export class Assignments {
  private readonly remembered = new WeakMap<EndpointSet, Map<string, Resource>>();
  private readonly empty = new Interner<Resource>();

  /** @param set undefined: the cluster has no endpoint, which Envoy is told, too. */
  get(clusterName: string, set: EndpointSet | undefined, plan: LocalityPlan | undefined): Resource {
    if (set === undefined) return this.empty.get(clusterName, () => encode(clusterName, [], undefined));
    const key = plan === undefined ? clusterName : `${clusterName} ${dataKey(plan)}`;
    const known = this.remembered.get(set) ?? new Map<string, Resource>();
    this.remembered.set(set, known);
    const resource = known.get(key) ?? encode(clusterName, set.endpoints, plan);
    known.set(key, resource);
    return resource;
  }
}

const encode = (
  clusterName: string,
  endpoints: EndpointSet["endpoints"],
  plan: LocalityPlan | undefined,
): Resource =>
  resourceOf(
    ClusterLoadAssignmentSchema,
    clusterName,
    // A name instead of an address is looked up only in clusters that hold their endpoints themselves.
    loadAssignment(
      clusterName,
      endpoints.filter(({ address }) => address.length > 0),
      plan,
    ),
  );
