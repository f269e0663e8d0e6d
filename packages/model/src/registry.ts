import { formatAddress, parseAddress } from "./address.ts";
import { objectKey, type Problem } from "./config-object.ts";
import type { EndpointSliceObject, PodObject } from "./kinds/index.ts";
import { Memo } from "./memo.ts";
import { type Endpoint, type Service, serviceNameLabel, type Workload } from "./model.ts";
import { normaliseEndpoints, type PodLookup, podOf } from "./normalise/endpoints.ts";
import type { Normalised } from "./normalise/normalised.ts";
import { normaliseService } from "./normalise/services.ts";
import { isDone, normaliseWorkload, podAddresses } from "./normalise/workloads.ts";
import type { ObjectSet } from "./objects.ts";

/** Who is there to be called, and to call. */
export interface Registered {
  readonly services: Map<string, Service>;
  readonly endpoints: Map<string, readonly Endpoint[]>;
  readonly workloads: Map<string, Workload>;
}

/** Makes services, endpoints and workloads; remembers what it made of objects that did not change. */
export class Registry {
  private readonly domain: string;
  private readonly services = new Memo<Normalised<Service | undefined>>();
  private readonly endpoints = new Memo<Normalised<readonly Endpoint[]>>();
  private readonly workloads = new Memo<Workload | undefined>();

  constructor(domain: string) {
    this.domain = domain;
  }

  build(objects: ObjectSet, problems: Problem[]): Registered {
    const services = new Map<string, Service>();
    const endpoints = new Map<string, readonly Endpoint[]>();
    const pods = podLookup(objects.of("Pod", ""));
    const slices = slicesByService(objects.of("EndpointSlice", "discovery.k8s.io"));
    for (const object of objects.of("Service", "")) {
      const key = objectKey(object);
      const service = this.services.get(key, [object], () => normaliseService(object, this.domain));
      problems.push(...service.problems);
      if (service.value === undefined) continue;
      const own = slices.get(`${object.metadata.namespace}/${object.metadata.name}`) ?? [];
      const behind = this.endpoints.get(key, [object, ...own, ...podsBehind(own, pods)], () =>
        normaliseEndpoints(object, own, pods),
      );
      problems.push(...behind.problems);
      services.set(service.value.hostname, service.value);
      endpoints.set(service.value.hostname, behind.value);
    }
    const workloads = this.buildWorkloads(objects.of("Pod", ""));
    for (const memo of [this.services, this.endpoints, this.workloads]) memo.endRound();
    return { services: sorted(services), endpoints, workloads };
  }

  private buildWorkloads(pods: readonly PodObject[]): Map<string, Workload> {
    const workloads = new Map<string, Workload>();
    for (const pod of pods) {
      const workload = this.workloads.get(objectKey(pod), [pod], () => normaliseWorkload(pod));
      if (workload !== undefined) workloads.set(workload.name, workload);
    }
    return sorted(workloads);
  }
}

/**
 * An address leads to a pod that has it for itself: a finished pod's may belong to another one by now, and pods with
 * hostNetwork share their node's. Of two pods that claim one address, the name that sorts first counts.
 */
function podLookup(pods: readonly PodObject[]): PodLookup {
  const byName = new Map(pods.map((pod) => [`${pod.metadata.namespace}/${pod.metadata.name}`, pod]));
  const byAddress = new Map<string, PodObject>();
  for (const pod of pods) {
    if (isDone(pod) || pod.body.spec.hostNetwork) continue;
    for (const address of podAddresses(pod).map(canonicalAddress)) {
      const other = byAddress.get(address);
      if (other === undefined || objectKey(pod) < objectKey(other)) byAddress.set(address, pod);
    }
  }
  return {
    byName: (name) => byName.get(name),
    byAddress: (address) => byAddress.get(canonicalAddress(address)),
  };
}

/** IPv6 has several ways to write one address. */
function canonicalAddress(text: string): string {
  const address = text.includes(":") ? parseAddress(text) : undefined;
  return address === undefined ? text : formatAddress(address);
}

/** Sorted by name: where two slices say different things of one endpoint, the first one counts. */
function slicesByService(slices: readonly EndpointSliceObject[]): Map<string, EndpointSliceObject[]> {
  const found = new Map<string, EndpointSliceObject[]>();
  for (const slice of slices) {
    const name = slice.metadata.labels[serviceNameLabel];
    if (name === undefined) continue;
    const key = `${slice.metadata.namespace}/${name}`;
    const known = found.get(key);
    if (known === undefined) found.set(key, [slice]);
    else known.push(slice);
  }
  for (const own of found.values()) own.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  return found;
}

/** What the endpoints depend on beside their slices; an absent pod counts, too, since it may come. */
function podsBehind(slices: readonly EndpointSliceObject[], pods: PodLookup): (PodObject | undefined)[] {
  return slices.flatMap((slice) =>
    (slice.body.endpoints ?? []).map((endpoint) => podOf(slice, endpoint, pods)),
  );
}

export function sorted<V>(map: ReadonlyMap<string, V>): Map<string, V> {
  return new Map([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
}
