import type { Problem } from "./config-object.ts";
import type { EgressRuleObject, ServiceEntryObject, ServiceObject } from "./kinds/index.ts";
import type { Endpoint, Service } from "./model.ts";
import { withDraining } from "./normalise/draining.ts";
import { normaliseEgressRule } from "./normalise/egress-rules.ts";
import { leadsElsewhere, normaliseEndpoints } from "./normalise/endpoints.ts";
import type { Normalised } from "./normalise/normalised.ts";
import {
  normaliseServiceEntry,
  type SelectedWorkloads,
  serviceEntryEndpoints,
} from "./normalise/service-entries.ts";
import { normaliseService } from "./normalise/services.ts";
import type { ObjectSet } from "./objects.ts";
import { ServiceSlices } from "./service-slices.ts";
import { WorkloadLookup } from "./workload-lookup.ts";

/** An object that says what can be called. */
export type Speaker = ServiceObject | ServiceEntryObject | EgressRuleObject;

/** A service as one object says. */
export interface Part {
  readonly service: Service;
  readonly endpoints: readonly Endpoint[];
}

/** All that one object says of services. */
export interface Spoken {
  readonly parts: readonly Part[];
  readonly problems: readonly Problem[];
}

export interface SpokenChange {
  readonly before: Spoken | undefined;
  readonly after: Spoken | undefined;
}

/** What was said, and what it was made from beside the object itself. */
interface Remembered extends Spoken {
  readonly inputs: readonly unknown[];
  /** Of Kubernetes' services, for as long as the trust domain is the same. */
  readonly service?: Normalised<Service | undefined>;
}

/** Asks each object what it says of services, and again only those that may say something else. */
export class Speakers {
  private readonly domain: string;
  private readonly spoken = new Map<Speaker, Remembered>();
  private readonly troubled = new Map<Speaker, readonly Problem[]>();
  private readonly services = new Map<string, ServiceObject>();
  private readonly slices = new ServiceSlices();
  private readonly lookup = new WorkloadLookup();
  private trustDomain: string | undefined;

  constructor(domain: string) {
    this.domain = domain;
  }

  /** What is to be said of each; in no order. */
  get problems(): ReadonlyMap<Speaker, readonly Problem[]> {
    return this.troubled;
  }

  /** @returns those that say something else than before the update */
  update(objects: ObjectSet, trustDomain: string): ReadonlyMap<Speaker, SpokenChange> {
    const changes = new Map<Speaker, SpokenChange>();
    const kinds = [
      objects.changes("Service", ""),
      objects.changes("ServiceEntry", "networking.istio.io"),
      objects.changes("EgressRule", "config.istio.io"),
    ] as const;
    for (const { removed } of kinds) for (const object of removed) this.remove(object, changes);
    for (const object of kinds[0].removed) this.services.delete(nameOf(object));
    for (const object of kinds[0].added) this.services.set(nameOf(object), object);
    const fresh = kinds.flatMap(({ added }): readonly Speaker[] => added);
    const touched = this.slices.update(objects.changes("EndpointSlice", "discovery.k8s.io"));
    const concernsAll = this.lookup.update(objects) || this.trustDomain !== trustDomain;
    this.trustDomain = trustDomain;
    const others = concernsAll
      ? this.dependent(objects)
      : [...touched].flatMap((name) => this.services.get(name) ?? []);
    for (const object of new Set([...fresh, ...others])) this.ask(object, trustDomain, changes);
    if (concernsAll) this.lookup.endRound();
    return changes;
  }

  /** All that depend on workloads, or on the mesh. */
  private dependent(objects: ObjectSet): Speaker[] {
    const selecting = objects
      .of("ServiceEntry", "networking.istio.io")
      .filter(({ body }) => body.spec.workloadSelector !== undefined);
    return [...this.services.values(), ...selecting];
  }

  private remove(object: Speaker, changes: Map<Speaker, SpokenChange>): void {
    changes.set(object, { before: this.spoken.get(object), after: undefined });
    this.spoken.delete(object);
    this.troubled.delete(object);
  }

  private ask(object: Speaker, trustDomain: string, changes: Map<Speaker, SpokenChange>): void {
    const before = this.spoken.get(object);
    const after = this.answer(object, trustDomain, before);
    if (after === before) return;
    this.spoken.set(object, after);
    if (after.problems.length > 0) this.troubled.set(object, after.problems);
    else this.troubled.delete(object);
    changes.set(object, { before, after });
  }

  private answer(object: Speaker, trustDomain: string, before: Remembered | undefined): Remembered {
    switch (object.kind) {
      case "Service":
        return this.ofService(object, trustDomain, before);
      case "ServiceEntry":
        return this.ofServiceEntry(object, before);
      case "EgressRule":
        return before ?? ofEgressRule(object);
    }
  }

  private ofService(object: ServiceObject, trustDomain: string, before: Remembered | undefined): Remembered {
    const slices = this.slices.of(nameOf(object));
    const selector = object.body.spec.selector ?? {};
    const entries =
      Object.keys(selector).length === 0
        ? []
        : this.lookup.selectEntries(object.metadata.namespace, selector);
    const inputs = [trustDomain, ...slices, ...entries];
    const leads = slices.some((slice) => leadsElsewhere(slice, this.lookup));
    if (before !== undefined && !leads && isSame(before.inputs, inputs)) return before;
    const service =
      before?.service !== undefined && before.inputs[0] === trustDomain
        ? before.service
        : normaliseService(object, this.domain, trustDomain);
    const { value, problems } = service;
    if (value === undefined) return { inputs, service, parts: [], problems };
    const endpoints = normaliseEndpoints(object, slices, this.lookup, entries);
    const parts = [{ service: value, endpoints: withDraining(value, endpoints.value) }];
    return { inputs, service, parts, problems: [...problems, ...endpoints.problems] };
  }

  private ofServiceEntry(object: ServiceEntryObject, before: Remembered | undefined): Remembered {
    const { workloadSelector } = object.body.spec;
    const selected =
      workloadSelector === undefined
        ? nothingSelected
        : this.lookup.select(object.metadata.namespace, workloadSelector.labels ?? {});
    const inputs = [...selected.pods, ...selected.entries];
    if (before !== undefined && isSame(before.inputs, inputs)) return before;
    const made = normaliseServiceEntry(object, this.domain).map((service) => ({
      service,
      endpoints: serviceEntryEndpoints(object, selected, service.hostname),
    }));
    return {
      inputs,
      parts: made.map(({ service, endpoints }) => ({
        service,
        endpoints: withDraining(service, endpoints.value),
      })),
      // All hosts of an entry have the same endpoints, and the same problems with them.
      problems: made[0]?.endpoints.problems ?? [],
    };
  }
}

const nothingSelected: SelectedWorkloads = { pods: [], entries: [] };

const ofEgressRule = (object: EgressRuleObject): Remembered => ({
  inputs: [],
  parts: [{ service: normaliseEgressRule(object), endpoints: [] }],
  problems: [],
});

const nameOf = ({ metadata: { namespace, name } }: ServiceObject): string => `${namespace}/${name}`;

const isSame = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((input, i) => input === b[i]);
