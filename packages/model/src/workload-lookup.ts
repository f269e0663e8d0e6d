import { formatAddress, parseAddress } from "./address.ts";
import { objectKey } from "./config-object.ts";
import type { PodObject, WorkloadEntryObject } from "./kinds/index.ts";
import type { PodLookup } from "./normalise/endpoints.ts";
import type { SelectedWorkloads } from "./normalise/service-entries.ts";
import { entryLabels } from "./normalise/workload-entries.ts";
import { isDone, isReady, podAddresses } from "./normalise/workloads.ts";

/** Finds workloads by their names, addresses and labels. */
export class WorkloadLookup implements PodLookup {
  private readonly podsByName: ReadonlyMap<string, PodObject>;
  private readonly podsByAddress = new Map<string, PodObject>();
  private readonly podsByNamespace: ReadonlyMap<string, readonly PodObject[]>;
  private readonly entriesByNamespace: ReadonlyMap<string, readonly WorkloadEntryObject[]>;

  /**
   * An address leads to a pod that has it for itself: a finished pod's may belong to another one by now, and pods with
   * hostNetwork share their node's. Of two pods that claim one address, the name that sorts first counts.
   */
  constructor(pods: readonly PodObject[], entries: readonly WorkloadEntryObject[]) {
    this.podsByName = new Map(pods.map((pod) => [`${pod.metadata.namespace}/${pod.metadata.name}`, pod]));
    for (const pod of pods) {
      if (isDone(pod) || pod.body.spec.hostNetwork) continue;
      for (const address of podAddresses(pod).map(canonicalAddress)) {
        const other = this.podsByAddress.get(address);
        if (other === undefined || objectKey(pod) < objectKey(other)) this.podsByAddress.set(address, pod);
      }
    }
    this.podsByNamespace = Map.groupBy(pods.toSorted(byName), ({ metadata }) => metadata.namespace);
    this.entriesByNamespace = Map.groupBy(entries.toSorted(byName), ({ metadata }) => metadata.namespace);
  }

  byName(name: string): PodObject | undefined {
    return this.podsByName.get(name);
  }

  byAddress(address: string): PodObject | undefined {
    return this.podsByAddress.get(canonicalAddress(address));
  }

  /** Pods that take connections, and WorkloadEntries, whose labels include all of the selector's. */
  select(namespace: string, selector: Readonly<Record<string, string>>): SelectedWorkloads {
    return {
      pods: (this.podsByNamespace.get(namespace) ?? []).filter(
        (pod) => isReady(pod) && includes(pod.metadata.labels, selector),
      ),
      entries: this.selectEntries(namespace, selector),
    };
  }

  selectEntries(namespace: string, selector: Readonly<Record<string, string>>): WorkloadEntryObject[] {
    return (this.entriesByNamespace.get(namespace) ?? []).filter((entry) =>
      includes(entryLabels(entry), selector),
    );
  }
}

const byName = (a: PodObject | WorkloadEntryObject, b: PodObject | WorkloadEntryObject): number =>
  a.metadata.name < b.metadata.name ? -1 : 1;

const includes = (
  labels: Readonly<Record<string, string>>,
  selector: Readonly<Record<string, string>>,
): boolean => Object.entries(selector).every(([key, value]) => labels[key] === value);

/** IPv6 has several ways to write one address. */
function canonicalAddress(text: string): string {
  const address = text.includes(":") ? parseAddress(text) : undefined;
  return address === undefined ? text : formatAddress(address);
}
