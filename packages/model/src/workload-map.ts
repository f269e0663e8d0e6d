import type { PodObject } from "./kinds/index.ts";
import type { Workload } from "./model.ts";
import { normaliseWorkload } from "./normalise/workloads.ts";

/** Pods are many and change one by one. */
const known = new WeakMap<PodObject, Workload | "none">();

/** Workloads by name, in the order of the pods. */
export function workloadsOf(pods: readonly PodObject[]): Map<string, Workload> {
  const workloads = new Map<string, Workload>();
  for (const pod of pods) {
    const workload = known.get(pod) ?? normaliseWorkload(pod) ?? "none";
    known.set(pod, workload);
    if (workload !== "none") workloads.set(workload.name, workload);
  }
  return workloads;
}
