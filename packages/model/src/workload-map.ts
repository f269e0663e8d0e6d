import { isDeepStrictEqual } from "node:util";
import { qualifiedName } from "./config-object.ts";
import type { NamespaceObject, PodObject } from "./kinds/index.ts";
import { dataplaneModeLabel } from "./metadata-read.ts";
import type { Workload } from "./model.ts";
import { rememberWorkload, workloadInOptedOut, workloadOf } from "./normalise/workloads.ts";
import type { ObjectSet } from "./objects.ts";
import { withChanges } from "./patched-map.ts";

/**
 * Workloads by name, kept up to date with the pods. Most of what happens to pods, such as that they become ready, changes
 * nothing of their workloads: then the map is the same one.
 */
export class WorkloadMap {
  private workloads: ReadonlyMap<string, Workload> = new Map();
  private optedOut: ReadonlySet<string> = new Set();

  /** @returns sorted by name */
  update(objects: ObjectSet): ReadonlyMap<string, Workload> {
    const namespaces = objects.changes("Namespace", "");
    let { added, removed } = objects.changes("Pod", "");
    if (namespaces.added.length + namespaces.removed.length > 0) {
      this.optedOut = new Set(objects.of("Namespace", "").filter(hasOptedOut).map(nameOf));
      added = objects.of("Pod", "");
    }
    const changes = new Map<string, Workload | undefined>();
    for (const pod of removed) changes.set(qualifiedName(pod), undefined);
    for (const pod of added) changes.set(qualifiedName(pod), this.workloadOf(pod));
    this.workloads = withChanges(this.workloads, changes);
    return this.workloads;
  }

  private workloadOf(pod: PodObject): Workload | undefined {
    if (this.optedOut.has(pod.metadata.namespace)) return workloadInOptedOut(pod);
    const before = this.workloads.get(qualifiedName(pod));
    const workload = workloadOf(pod);
    if (before === undefined || !isDeepStrictEqual(before, workload)) return workload;
    rememberWorkload(pod, before);
    return before;
  }
}

const hasOptedOut = ({ metadata }: NamespaceObject): boolean =>
  metadata.labels[dataplaneModeLabel] === "none";

const nameOf = ({ metadata }: NamespaceObject): string => metadata.name;
