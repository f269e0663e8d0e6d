import type { HostPolicy, Subset, TrafficPolicy } from "@keelson/protos/traffic-policy";
import { compareSpecificity, isSubsetOf, isWildcard } from "../envoy/hosts.ts";
import { isExportedTo } from "../envoy/index/services.ts";
import { type Caller, isCaller } from "./caller.ts";
import type { Target } from "./clusters.ts";
import { hasLabels } from "./directory.ts";
import type { Labels } from "./service-key.ts";

/** Name of the kind that is asked as Pilot 0.2 did: labels must be the same, nothing is inherited. */
const exactKind = "DestinationPolicy/";

const sameLabels = (a: Labels, b: Labels): boolean => hasLabels(a, b) && hasLabels(b, a);

/** Finds what rules say about the connections of a cluster. */
export class Policies {
  private readonly byHost = new Map<string, HostPolicy[]>();
  /** The most specific first. */
  private readonly wildcards: readonly HostPolicy[];

  /** @param policies in the order in which they are asked */
  constructor(policies: ReadonlyMap<string, HostPolicy>) {
    for (const policy of policies.values()) {
      const known = this.byHost.get(policy.hostname);
      if (known === undefined) this.byHost.set(policy.hostname, [policy]);
      else known.push(policy);
    }
    this.wildcards = [...policies.values()]
      .filter(({ hostname }) => isWildcard(hostname))
      .sort((a, b) => compareSpecificity(a.hostname, b.hostname));
  }

  find({ hostname, port, labels }: Target, caller: Caller): Partial<TrafficPolicy> {
    for (const policy of this.candidates(hostname, caller)) {
      if (isExact(policy)) {
        const found = exactPolicy(policy, labels);
        if (found !== undefined) return found;
      } else {
        return inheritedPolicy(policy, port, labels);
      }
    }
    return {};
  }

  findSubset(hostname: string, name: string): Subset | undefined {
    for (const { subsets } of this.forHost(hostname)) {
      const found = subsets.find((subset) => subset.name === name);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Rules of 0.2 come first, as in Pilot 0.7. */
  private candidates(hostname: string, caller: Caller): HostPolicy[] {
    return this.forHost(hostname)
      .filter((policy) => isExportedTo(policy, caller.namespace))
      .filter(({ callerHostname, callerLabels }) => isCaller(caller, callerHostname, callerLabels))
      .sort((a, b) => Number(isExact(b)) - Number(isExact(a)));
  }

  private forHost(hostname: string): HostPolicy[] {
    const wildcards = this.wildcards.filter(
      (policy) => !isExact(policy) && policy.hostname !== hostname && isSubsetOf(hostname, policy.hostname),
    );
    return [...(this.byHost.get(hostname) ?? []), ...wildcards];
  }
}

const isExact = ({ name }: HostPolicy): boolean => name.startsWith(exactKind);

function exactPolicy({ policy, subsets }: HostPolicy, labels: Labels): TrafficPolicy | undefined {
  if (Object.keys(labels).length === 0) return policy;
  return subsets.find((subset) => sameLabels(subset.labels, labels))?.policy;
}

/** What a subset says itself counts before what is said for the host. */
function inheritedPolicy(host: HostPolicy, port: number, labels: Labels): Partial<TrafficPolicy> {
  const subset = host.subsets.find((each) => sameLabels(each.labels, labels));
  const base = host.portPolicies[port] ?? host.policy ?? {};
  const own = subset?.portPolicies[port] ?? subset?.policy;
  if (own === undefined) return base;
  const { loadBalancer, connectionPool, outlierDetection } = own;
  return {
    ...base,
    ...(loadBalancer && { loadBalancer }),
    ...(connectionPool && { connectionPool }),
    ...(outlierDetection && { outlierDetection }),
  };
}
