import type { PodObject } from "./kinds/index.ts";
import type { Workload } from "./model.ts";
import { workloadOf } from "./normalise/workloads.ts";

/** Workloads by name, in the order of the pods. */
export function workloadsOf(pods: readonly PodObject[]): Map<string, Workload> {
  const workloads = new Map<string, Workload>();
  for (const pod of pods) {
    const workload = workloadOf(pod);
    if (workload !== undefined) workloads.set(workload.name, workload);
  }
  return workloads;
}
