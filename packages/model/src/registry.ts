import { objectKey, type Problem } from "./config-object.ts";
import { Derived } from "./derived.ts";
import { externalNamesIn } from "./external-name-map.ts";
import type { EndpointSliceObject, ServiceEntryObject, ServiceObject } from "./kinds/index.ts";
import { Memo } from "./memo.ts";
import { serviceNameLabel } from "./metadata-read.ts";
import type { Endpoint, ExternalName, Service, Workload } from "./model.ts";
import { aliasesByTarget } from "./normalise/aliases.ts";
import { normaliseEgressRule } from "./normalise/egress-rules.ts";
import { leadsElsewhere, normaliseEndpoints, sortEndpoints } from "./normalise/endpoints.ts";
import { type MergedService, mergeServices } from "./normalise/merge-services.ts";
import type { Normalised } from "./normalise/normalised.ts";
import {
  normaliseServiceEntry,
  type SelectedWorkloads,
  serviceEntryEndpoints,
} from "./normalise/service-entries.ts";
import { normaliseService } from "./normalise/services.ts";
import { mergeSorted, type ObjectSet } from "./objects.ts";
import { byAge, byKey } from "./order.ts";
import { WorkloadLookup } from "./workload-lookup.ts";
import { workloadsOf } from "./workload-map.ts";

/** Who is there to be called, and to call. */
export interface Registered {
  readonly services: Map<string, Service>;
  readonly externalNames: ReadonlyMap<string, ExternalName>;
  readonly endpoints: Map<string, readonly Endpoint[]>;
  readonly workloads: Map<string, Workload>;
}

/** A service as one object says. */
interface Part {
  readonly service: Service;
  readonly endpoints: readonly Endpoint[];
}

type Order = readonly (readonly [hostname: string, places: readonly number[]])[];

/** Makes services, endpoints and workloads; remembers what it made of objects that did not change. */
export class Registry {
  private readonly domain: string;
  private readonly services = new Memo<Normalised<Service | undefined>>();
  /** Sorted by age. */
  private entries: readonly ServiceEntryObject[] = [];
  /** Of ServiceEntries that say all by themselves, and of those that select workloads. */
  private readonly unselecting = new WeakMap<ServiceEntryObject, Normalised<readonly Part[]>>();
  private readonly selecting = new Memo<Normalised<readonly Part[]>>();
  private readonly endpoints = new Memo<Normalised<readonly Endpoint[]>>();
  private readonly egressRules = new Memo<Service>();
  private readonly merged = new Memo<MergedService>();
  private readonly mergedEndpoints = new Memo<readonly Endpoint[]>();
  private readonly aliased = new Memo<Service>();
  private readonly lookup = new WorkloadLookup();
  private lastOrder: { readonly spoken: readonly string[]; readonly sorted: Order } = {
    spoken: [],
    sorted: [],
  };
  private readonly slices = new Derived(slicesByService);
  private readonly workloads = new Derived(workloadsOf);
  private readonly externalNames: Derived<
    readonly ServiceObject[],
    Normalised<ReadonlyMap<string, ExternalName>>
  >;

  constructor(domain: string) {
    this.domain = domain;
    this.externalNames = new Derived(externalNamesIn(domain));
  }

  build(objects: ObjectSet, trustDomain: string, problems: Problem[]): Registered {
    this.lookup.update(
      objects.changes("Pod", ""),
      objects.changes("Node", ""),
      objects.of("WorkloadEntry", "networking.istio.io"),
    );
    const slices = this.slices.of(objects.of("EndpointSlice", "discovery.k8s.io"));
    const kubernetes = objects.of("Service", "");
    this.entries = mergeSorted(this.entries, objects.changes("ServiceEntry", "networking.istio.io"), byAge);
    const parts = [
      ...kubernetes.flatMap((object) => {
        const own = slices.get(`${object.metadata.namespace}/${object.metadata.name}`) ?? [];
        return this.ofKubernetes(object, own, trustDomain, problems);
      }),
      ...this.entries.flatMap((object) => this.ofServiceEntry(object, problems)),
      ...objects
        .of("EgressRule", "config.istio.io")
        .toSorted(byKey)
        .map((object) => ({
          service: this.egressRules.get(objectKey(object), [object], () => normaliseEgressRule(object)),
          endpoints: noEndpoints,
        })),
    ];
    const registered = this.merge(parts, problems);
    this.addAliases(kubernetes, registered.services);
    const externalNames = this.externalNames.of(kubernetes);
    problems.push(...externalNames.problems);
    const workloads = this.workloads.of(objects.of("Pod", ""));
    this.lookup.endRound();
    for (const memo of [this.services, this.selecting, this.endpoints]) memo.endRound();
    for (const memo of [this.egressRules, this.merged, this.mergedEndpoints, this.aliased]) memo.endRound();
    return { ...registered, externalNames: externalNames.value, workloads };
  }

  private ofKubernetes(
    object: ServiceObject,
    slices: readonly EndpointSliceObject[],
    trustDomain: string,
    problems: Problem[],
  ): Part[] {
    const key = objectKey(object);
    const service = this.services.get(key, [object, trustDomain], () =>
      normaliseService(object, this.domain, trustDomain),
    );
    problems.push(...service.problems);
    if (service.value === undefined) return [];
    const selector = object.body.spec.selector ?? {};
    const entries =
      Object.keys(selector).length === 0
        ? []
        : this.lookup.selectEntries(object.metadata.namespace, selector);
    if (slices.some((slice) => leadsElsewhere(slice, this.lookup))) this.endpoints.forget(key);
    const endpoints = this.endpoints.get(key, [object, ...slices, ...entries], () =>
      normaliseEndpoints(object, slices, this.lookup, entries),
    );
    problems.push(...endpoints.problems);
    return [{ service: service.value, endpoints: endpoints.value }];
  }

  private ofServiceEntry(object: ServiceEntryObject, problems: Problem[]): readonly Part[] {
    const { workloadSelector } = object.body.spec;
    const { value, problems: own } =
      workloadSelector === undefined
        ? this.ofItself(object)
        : this.ofSelected(object, workloadSelector.labels ?? {});
    problems.push(...own);
    return value;
  }

  private ofItself(object: ServiceEntryObject): Normalised<readonly Part[]> {
    const known = this.unselecting.get(object);
    if (known !== undefined) return known;
    const parts = this.entryParts(object, nothingSelected);
    this.unselecting.set(object, parts);
    return parts;
  }

  private ofSelected(
    object: ServiceEntryObject,
    labels: Readonly<Record<string, string>>,
  ): Normalised<readonly Part[]> {
    const selected = this.lookup.select(object.metadata.namespace, labels);
    const inputs = [object, ...selected.pods, ...selected.entries];
    return this.selecting.get(objectKey(object), inputs, () => this.entryParts(object, selected));
  }

  private entryParts(object: ServiceEntryObject, selected: SelectedWorkloads): Normalised<readonly Part[]> {
    const made = normaliseServiceEntry(object, this.domain).map((service) => ({
      service,
      endpoints: serviceEntryEndpoints(object, selected, service.hostname),
    }));
    return {
      value: made.map(({ service, endpoints }) => ({ service, endpoints: endpoints.value })),
      // All hosts of an entry have the same endpoints, and the same problems with them.
      problems: made[0]?.endpoints.problems ?? [],
    };
  }

  private merge(parts: readonly Part[], problems: Problem[]): Pick<Registered, "services" | "endpoints"> {
    const services = new Map<string, Service>();
    const endpoints = new Map<string, readonly Endpoint[]>();
    for (const [hostname, places] of this.order(parts)) {
      const all = places.flatMap((place) => parts[place] ?? []);
      const candidates = all.map(({ service }) => service);
      const [only] = all;
      if (all.length === 1 && only !== undefined) {
        services.set(hostname, only.service);
        endpoints.set(hostname, only.endpoints);
        continue;
      }
      const merged = this.merged.get(hostname, candidates, () => mergeServices(candidates));
      problems.push(...merged.problems);
      services.set(hostname, merged.service);
      const [first, ...others] = all
        .filter(({ service }) => merged.parts.includes(service))
        .map((part) => part.endpoints);
      if (first === undefined) continue;
      const inputs = [first, ...others];
      const made = this.mergedEndpoints.get(hostname, inputs, () =>
        others.length === 0 ? first : sortEndpoints(inputs.flat()),
      );
      endpoints.set(hostname, made);
    }
    return { services, endpoints };
  }

  /** Hostnames, sorted, and the places of what speaks of each; found again only if other hosts are spoken of. */
  private order(parts: readonly Part[]): Order {
    const { spoken } = this.lastOrder;
    const same =
      spoken.length === parts.length && parts.every(({ service }, i) => service.hostname === spoken[i]);
    if (!same) {
      const hosts = parts.map(({ service }) => service.hostname);
      const places = Map.groupBy(hosts.keys(), (place) => hosts[place] ?? "");
      const sorted = [...places].sort(([a], [b]) => (a < b ? -1 : 1));
      this.lastOrder = { spoken: hosts, sorted };
    }
    return this.lastOrder.sorted;
  }

  /** @param services gets those with aliases anew */
  private addAliases(objects: readonly ServiceObject[], services: Map<string, Service>): void {
    const aliases = aliasesByTarget(objects, (hostname) => services.has(hostname), this.domain);
    for (const [hostname, names] of aliases) {
      const service = services.get(hostname);
      if (service === undefined) continue;
      services.set(
        hostname,
        this.aliased.get(hostname, [service, ...names], () => ({ ...service, aliases: names })),
      );
    }
  }
}

const noEndpoints: readonly Endpoint[] = [];
const nothingSelected: SelectedWorkloads = { pods: [], entries: [] };

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
