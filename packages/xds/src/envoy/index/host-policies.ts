import type { Service } from "@keelson/protos/policy";
import type { HostPolicy, LoadBalancer, TrafficPolicy } from "@keelson/protos/traffic-policy";
import { compareSpecificity, includesLabels, isSubsetOf, isWildcard } from "../hosts.ts";
import { isExportedTo } from "./services.ts";

/** Whose calls a policy is asked for. */
export interface Caller {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Services it belongs to. */
  readonly hostnames: readonly string[];
}

interface NamespacePolicies {
  readonly exact: Map<string, HostPolicy[]>;
  /** The most specific first. */
  readonly wildcards: { readonly host: string; readonly policies: HostPolicy[] }[];
}

/**
 * Which policy counts for a host, as Istio decides: of the caller's namespace, else the service's, else the root
 * namespace; there the most specific host; there one for the caller's labels before one for all.
 */
export class HostPolicyIndex {
  /** Label keys that policies look at: callers alike in these get the same answers. */
  readonly callerLabelKeys: ReadonlySet<string>;
  /** Services whose workloads some policy is for. */
  readonly callerHostnames: ReadonlySet<string>;
  /** Whether some policy treats callers of different places differently. */
  readonly localityMatters: boolean;
  private readonly namespaces = new Map<string, NamespacePolicies>();
  private readonly merged = new Map<string, HostPolicy>();
  private readonly rootNamespace: string;

  constructor(policies: ReadonlyMap<string, HostPolicy>, rootNamespace: string) {
    this.rootNamespace = rootNamespace;
    const all = [...policies.values()];
    const parts = all.flatMap(trafficPolicies);
    this.callerLabelKeys = new Set([
      ...all.flatMap(({ callerLabels }) => Object.keys(callerLabels)),
      ...parts.flatMap(({ loadBalancer }) => priorityLabels(loadBalancer)),
    ]);
    this.callerHostnames = new Set(all.map(({ callerHostname }) => callerHostname).filter(Boolean));
    this.localityMatters = parts.some(
      ({ outlierDetection, loadBalancer }) => (outlierDetection ?? loadBalancer?.locality) !== undefined,
    );
    for (const policy of policies.values()) this.add(policy);
    for (const { wildcards } of this.namespaces.values()) {
      wildcards.sort((a, b) => compareSpecificity(a.host, b.host));
    }
  }

  /** The same object for the same rules. */
  find(service: Service, caller: Caller): HostPolicy | undefined {
    if (this.namespaces.size === 0) return undefined;
    for (const namespace of new Set([caller.namespace, service.namespace, this.rootNamespace])) {
      const found = this.mostSpecific(namespace, service.hostname).filter((policy) => counts(policy, caller));
      const forSome = found.find((policy) => !isForAll(policy));
      if (forSome !== undefined) return forSome;
      if (found.length > 0) return this.merge(found);
    }
    return undefined;
  }

  private mostSpecific(namespace: string, hostname: string): readonly HostPolicy[] {
    const policies = this.namespaces.get(namespace);
    return (
      policies?.exact.get(hostname) ??
      policies?.wildcards.find(({ host }) => isSubsetOf(hostname, host))?.policies ??
      []
    );
  }

  private add(policy: HostPolicy): void {
    const policies: NamespacePolicies = this.namespaces.get(policy.namespace) ?? {
      exact: new Map(),
      wildcards: [],
    };
    this.namespaces.set(policy.namespace, policies);
    const known = isWildcard(policy.hostname)
      ? policies.wildcards.find(({ host }) => host === policy.hostname)?.policies
      : policies.exact.get(policy.hostname);
    if (known !== undefined) known.push(policy);
    else if (isWildcard(policy.hostname))
      policies.wildcards.push({ host: policy.hostname, policies: [policy] });
    else policies.exact.set(policy.hostname, [policy]);
  }

  /** Several rules for one host add up: the first with a policy gives it, the first subset of a name counts. */
  private merge(policies: readonly HostPolicy[]): HostPolicy {
    const [first] = policies;
    if (first === undefined || policies.length === 1) return first as HostPolicy;
    const key = policies.map(({ name }) => name).join("\n");
    const known = this.merged.get(key);
    if (known !== undefined) return known;
    const withPolicy = policies.find(({ policy }) => policy !== undefined) ?? first;
    const subsets = new Map(
      policies
        .toReversed()
        .flatMap((policy) => policy.subsets)
        .map((subset) => [subset.name, subset]),
    );
    const merged: HostPolicy = {
      ...first,
      policy: withPolicy.policy,
      portPolicies: withPolicy.portPolicies,
      subsets: [...subsets.values()].toReversed(),
    };
    this.merged.set(key, merged);
    return merged;
  }
}

/** Every traffic policy that a rule holds, for the host, its ports and its subsets. */
function trafficPolicies({ policy, portPolicies, subsets }: HostPolicy): TrafficPolicy[] {
  const levels = [{ policy, portPolicies }, ...subsets];
  return levels.flatMap((level) => [
    ...(level.policy ? [level.policy] : []),
    ...Object.values(level.portPolicies),
  ]);
}

/** Keys of "key" and "key=value". */
const priorityLabels = (balancer: LoadBalancer | undefined): string[] =>
  (balancer?.locality?.failoverPriority ?? []).flatMap((entry) => entry.split("=", 1));

const isForAll = ({ callerLabels, callerHostname }: HostPolicy): boolean =>
  Object.keys(callerLabels).length === 0 && callerHostname === "";

/**
 * A rule of today that selects workloads counts only inside its own namespace; one of Istio 0.2 names the service that
 * calls.
 */
function counts(policy: HostPolicy, caller: Caller): boolean {
  if (policy.namespace !== caller.namespace && !isExportedTo(policy, caller.namespace)) return false;
  if (isForAll(policy)) return true;
  if (!includesLabels(caller.labels, policy.callerLabels)) return false;
  return policy.callerHostname === ""
    ? policy.namespace === caller.namespace
    : caller.hostnames.includes(policy.callerHostname);
}
