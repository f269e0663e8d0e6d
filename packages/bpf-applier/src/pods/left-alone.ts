import { LeftAlone, type Workload } from "@keelson/protos/policy";

const reasons: Readonly<Record<LeftAlone, string | undefined>> = {
  [LeftAlone.UNSPECIFIED]: undefined,
  [LeftAlone.HOST_NETWORK]: "it shares its node's network (hostNetwork)",
  [LeftAlone.OPTED_OUT]: 'its label istio.io/dataplane-mode is "none"',
  [LeftAlone.NAMESPACE_OPTED_OUT]: 'the label istio.io/dataplane-mode of its namespace is "none"',
  [LeftAlone.SIDECAR]: "its sidecar decides its calls",
};

/**
 * Why a pod's calls are not decided here, in words; undefined: they are. The control plane says what follows from the pod
 * itself, the node which namespaces it excludes.
 */
export function whyLeftAlone(
  { leftAlone, namespace }: Pick<Workload, "leftAlone" | "namespace">,
  excludedNamespaces: ReadonlySet<string>,
): string | undefined {
  if (excludedNamespaces.has(namespace)) return `its namespace ${namespace} is excluded`;
  // A control plane may know more reasons than we do.
  return leftAlone in reasons ? reasons[leftAlone] : `the control plane says so (${leftAlone})`;
}
