import type { NamespaceObject } from "./kinds/index.ts";
import type { ObjectLists } from "./list-memo.ts";
import { dataplaneModeLabel } from "./metadata-read.ts";
import type { Workload } from "./model.ts";
import { workloadInOptedOut, workloadOf } from "./normalise/workloads.ts";

/** Workloads by name, in the order of the pods. */
export function workloadsOf(objects: ObjectLists): Map<string, Workload> {
  const optedOut = new Set(objects.of("Namespace", "").filter(hasOptedOut).map(nameOf));
  const workloads = new Map<string, Workload>();
  for (const pod of objects.of("Pod", "")) {
    const workload = optedOut.has(pod.metadata.namespace) ? workloadInOptedOut(pod) : workloadOf(pod);
    if (workload !== undefined) workloads.set(workload.name, workload);
  }
  return workloads;
}

const hasOptedOut = ({ metadata }: NamespaceObject): boolean =>
  metadata.labels[dataplaneModeLabel] === "none";

const nameOf = ({ metadata }: NamespaceObject): string => metadata.name;
