import type { SourceMatch } from "@keelson/protos/match";
import { type Directory, hasLabels, type Instance, labelsOfWorkload } from "./directory.ts";
import type { Labels } from "./service-key.ts";
import type { ServiceNode } from "./service-node.ts";

/** The proxy that asks, and what stands behind its address. */
export interface Caller {
  readonly node: ServiceNode;
  readonly namespace: string;
  /** What its workload serves. */
  readonly instances: readonly Instance[];
  /** Services that its workload belongs to, sorted, each once. */
  readonly hostnames: readonly string[];
  readonly labels: Labels;
  /** Ports of its workload that the kubelet looks at, sorted. */
  readonly probePorts: readonly number[];
}

export function callerOf(directory: Directory, node: ServiceNode): Caller {
  const instances = directory.at(node.address);
  const workload = directory.workloadAt(node.address);
  return {
    node,
    // "pod.namespace"
    namespace: workload?.namespace ?? node.id.slice(node.id.lastIndexOf(".") + 1),
    instances,
    hostnames: [...new Set(instances.map(({ service }) => service.hostname))].sort(),
    labels: workload === undefined ? (instances[0]?.labels ?? {}) : labelsOfWorkload(workload),
    probePorts: workload?.probePorts ?? [],
  };
}

/** Whether a rule for some callers is for this one. */
export function isMeant(caller: Caller, source: SourceMatch | undefined): boolean {
  if (source === undefined) return true;
  if (source.namespace !== "" && source.namespace !== caller.namespace) return false;
  return isCaller(caller, source.hostname, source.labels);
}

/** @param hostname of a service that the caller belongs to; empty: any */
export function isCaller(caller: Caller, hostname: string, labels: Labels): boolean {
  if (hostname === "") return hasLabels(caller.labels, labels);
  return caller.instances.some(
    ({ service, labels: own }) => service.hostname === hostname && hasLabels(own, labels),
  );
}
