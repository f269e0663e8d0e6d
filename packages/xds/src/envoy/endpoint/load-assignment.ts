import { create } from "@bufbuild/protobuf";
import type { LocalityLbEndpointsSchema } from "@envoyproxy/xds-protos/envoy/config/endpoint/v3/endpoint_components_pb.js";
import {
  type ClusterLoadAssignment,
  ClusterLoadAssignmentSchema,
} from "@envoyproxy/xds-protos/envoy/config/endpoint/v3/endpoint_pb.js";
import type { Endpoint } from "@keelson/protos/policy";
import { addressKey } from "../addresses.ts";
import type { Init } from "../wire.ts";
import { type LbEndpointOptions, labelsOf, lbEndpoint } from "./lb-endpoint.ts";
import { type LocalityPlan, matchesLocality, rank } from "./locality-plan.ts";

interface Group {
  readonly locality: string;
  readonly rank: number;
  readonly endpoints: Endpoint[];
}

/** Of endpoints with the same address and port the first, which Envoy takes; gRPC takes none at all then. */
function distinct(endpoints: readonly Endpoint[]): Endpoint[] {
  const seen = new Set<string>();
  return endpoints.filter(({ address, hostname, port }) => {
    const { size } = seen;
    seen.add(`${address.length > 0 ? addressKey(address) : hostname}:${port}`);
    return seen.size > size;
  });
}

/** Endpoints of one place and rank, the best rank first. */
function groups(endpoints: readonly Endpoint[], plan: LocalityPlan | undefined): Group[] {
  const byKey = new Map<string, Group>();
  for (const endpoint of distinct(endpoints)) {
    const { locality } = endpoint;
    const ranked = plan?.kind === "priorities" ? rank(plan, locality, labelsOf(endpoint)) : 0;
    const key = `${ranked}|${locality}`;
    const group = byKey.get(key);
    if (group === undefined) byKey.set(key, { locality, rank: ranked, endpoints: [endpoint] });
    else group.endpoints.push(endpoint);
  }
  return [...byKey.values()].sort((a, b) => a.rank - b.rank || (a.locality < b.locality ? -1 : 1));
}

const weightOf = ({ endpoints }: Group): number =>
  endpoints.reduce((sum, { weight }) => sum + (weight || 1), 0);

/** The share of each group under a rule that gives percents to places; 0: nothing goes there. */
function shares(all: readonly Group[], plan: Extract<LocalityPlan, { kind: "weights" }>): Map<Group, number> {
  const result = new Map<Group, number>();
  for (const [pattern, percent] of plan.shares) {
    const here = all.filter((group) => !result.has(group) && matchesLocality(group.locality, pattern));
    const total = here.reduce((sum, group) => sum + weightOf(group), 0);
    for (const group of here) result.set(group, Math.ceil((weightOf(group) * percent) / total));
  }
  return result;
}

export interface AssignmentOptions extends LbEndpointOptions {
  readonly plan?: LocalityPlan | undefined;
}

/** The endpoints of a cluster, by place. */
export function loadAssignment(
  clusterName: string,
  endpoints: readonly Endpoint[],
  { plan, ...options }: AssignmentOptions = {},
): ClusterLoadAssignment {
  const all = groups(endpoints, plan);
  const wanted = plan?.kind === "weights" ? shares(all, plan) : undefined;
  const priorities = [...new Set(all.map((group) => group.rank))];
  const localities = all.flatMap((group): Init<typeof LocalityLbEndpointsSchema>[] => {
    const weight = wanted === undefined ? weightOf(group) : (wanted.get(group) ?? 0);
    const lbEndpoints = group.endpoints.flatMap((endpoint) => lbEndpoint(endpoint, options) ?? []);
    if (weight === 0 || lbEndpoints.length === 0) return [];
    const [region = "", zone = "", subZone = ""] = group.locality.split("/");
    return [
      {
        // Also where nothing is known of the place: gRPC refuses endpoints of none.
        locality: { region, zone, subZone },
        lbEndpoints,
        loadBalancingWeight: weight,
        priority: priorities.indexOf(group.rank),
      },
    ];
  });
  return create(ClusterLoadAssignmentSchema, { clusterName, endpoints: localities });
}
