import type { Workload } from "@keelson/protos/policy";
import { familiesOf } from "../addresses.ts";
import type { WorkloadPort } from "../index/workload-ports.ts";
import type { ProxyNode } from "../proxy-node.ts";
import type { ProxyTraits } from "../traits.ts";
import type { MeshIndexes } from "./mesh-state.ts";

/** Labels of the registry win as soon as it knows the pod. */
export function labelsOf(
  { metadata }: ProxyNode,
  workload: Workload | undefined,
): Readonly<Record<string, string>> {
  if (workload === undefined) return metadata.labels;
  return Object.fromEntries(workload.labels.map(({ key, value }) => [key, value]));
}

const nowhere: ProxyTraits["locality"] = { region: "", zone: "", subZone: "" };

/** What counts of a proxy: only what some rule looks at, so that as many as possible are alike. */
export function traitsOf(
  proxy: ProxyNode,
  labels: Readonly<Record<string, string>>,
  ports: readonly WorkloadPort[],
  { ir, routeTables, hostPolicies, extensions }: MeshIndexes,
): ProxyTraits {
  const keys = new Set([...routeTables.sourceLabelKeys, ...hostPolicies.callerLabelKeys]);
  const wanted = Object.entries(labels).filter(([key]) => keys.has(key));
  const hostnames = ports
    .map(({ hostname }) => hostname)
    .filter((name) => routeTables.sourceHostnames.has(name) || hostPolicies.callerHostnames.has(name));
  const { agent, http10, unprivileged, idleTimeoutMs, httpProxyPort } = proxy.metadata;
  return {
    kind: proxy.kind,
    families: familiesOf(proxy.addresses),
    interception: proxy.interception,
    namespace: proxy.namespace,
    domain: proxy.domain || `${proxy.namespace}.svc.${ir.mesh.domain}`,
    labels: Object.fromEntries(wanted.sort(([a], [b]) => (a < b ? -1 : 1))),
    hostnames: [...new Set(hostnames)].sort(),
    locality: hostPolicies.localityMatters ? proxy.locality : nowhere,
    agent,
    http10,
    unprivileged,
    idleTimeoutMs,
    httpProxyPort,
    extensions: extensions.usedBy(proxy, labels),
  };
}
