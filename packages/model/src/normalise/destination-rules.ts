import { create } from "@bufbuild/protobuf";
import { type HostPolicy, HostPolicySchema, SubsetSchema } from "@keelson/protos/traffic-policy";
import { describeObject, type Problem, problemOf } from "../config-object.ts";
import type { DestinationRuleObject } from "../kinds/index.ts";
import type { PolicySource } from "../model.ts";
import { resolveExportTo, resolveHost } from "./hosts.ts";
import type { Normalised } from "./normalised.ts";
import { sortedEntries } from "./string-match.ts";
import { portPolicies, trafficPolicy } from "./traffic-policies.ts";

/** @param object passed checkDestinationRule */
export function normaliseDestinationRule(object: DestinationRuleObject, domain: string): PolicySource {
  const { spec } = object.body;
  const { name, namespace } = object.metadata;
  const policy = trafficPolicy(spec.trafficPolicy);
  const callers = spec.workloadSelector?.matchLabels ?? {};
  const message = create(HostPolicySchema, {
    name: `DestinationRule/${namespace}/${name}`,
    namespace,
    hostname: resolveHost(spec.host, namespace, domain),
    // A rule for some workloads is for those of its own namespace (Istio).
    exportedTo: spec.workloadSelector === undefined ? resolveExportTo(spec.exportTo, namespace) : [namespace],
    callerLabels: Object.fromEntries(sortedEntries(callers)),
    ...(policy && { policy }),
    portPolicies: portPolicies(spec.trafficPolicy),
    subsets: spec.subsets.map((subset) => {
      const own = trafficPolicy(subset.trafficPolicy);
      return create(SubsetSchema, {
        name: subset.name,
        labels: Object.fromEntries(sortedEntries(subset.labels)),
        ...(own && { policy: own }),
        portPolicies: portPolicies(subset.trafficPolicy),
      });
    }),
  });
  return { policy: message, object };
}

/** Rules with one key are for the same callers of the same host, and are one policy. */
export function mergeKey({ policy }: PolicySource): string {
  const { namespace, hostname, exportedTo, callerLabels } = policy;
  return JSON.stringify([namespace, hostname, exportedTo, callerLabels]);
}

/**
 * As Istio merges the rules of one namespace for one host: the first one's traffic policy counts, or that of the first
 * that has one; subsets are added, of one name the first.
 * @param sources at least one, in the order in which they count
 */
export function mergeDestinationRules(sources: readonly PolicySource[]): Normalised<PolicySource> {
  const [first, ...others] = sources;
  if (first === undefined) throw new Error("there must be a rule to merge");
  if (others.length === 0) return { value: first, problems: [] };
  const problems: Problem[] = [];
  const subsets = new Map(first.policy.subsets.map((subset) => [subset.name, subset]));
  let base: HostPolicy | undefined = says(first.policy) ? first.policy : undefined;
  for (const { policy, object } of others) {
    const counts = describeObject(first.object);
    if (says(policy)) {
      if (base === undefined) base = policy;
      else {
        const text = `${counts} is for ${policy.hostname}, too; its traffic policy counts`;
        problems.push(problemOf("warning", object, ["spec", "trafficPolicy"], text));
      }
    }
    policy.subsets.forEach((subset, i) => {
      if (!subsets.has(subset.name)) subsets.set(subset.name, subset);
      else {
        const text = `${counts} has a subset "${subset.name}" for ${policy.hostname}, too; that one counts`;
        problems.push(problemOf("warning", object, ["spec", "subsets", i], text));
      }
    });
  }
  const { policy, portPolicies: ports = {} } = base ?? {};
  const merged = create(HostPolicySchema, {
    ...first.policy,
    ...(policy && { policy }),
    portPolicies: ports,
    subsets: [...subsets.values()],
  });
  return { value: { policy: merged, object: first.object }, problems };
}

const says = ({ policy, portPolicies: ports }: HostPolicy): boolean =>
  policy !== undefined || Object.keys(ports).length > 0;
