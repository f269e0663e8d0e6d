import { formatAddress, parseAddress } from "./address.ts";
import {
  compareLocations,
  describeObject,
  formatLocation,
  objectKey,
  type Problem,
  problemOf,
} from "./config-object.ts";
import type {
  EndpointSliceObject,
  KnownObject,
  PodObject,
  RouteRuleObject,
  ServiceObject,
} from "./kinds/index.ts";
import { Memo } from "./memo.ts";
import {
  type Endpoint,
  type Model,
  type Route,
  type Service,
  serviceNameLabel,
  type Workload,
} from "./model.ts";
import { defaultDomain } from "./names.ts";
import { normaliseEndpoints, type PodLookup, podOf } from "./normalise/endpoints.ts";
import type { Normalised } from "./normalise/normalised.ts";
import { type HostRoute, normaliseRouteRule } from "./normalise/route-rules.ts";
import { normaliseService } from "./normalise/services.ts";
import { isDone, normaliseWorkload, podAddresses } from "./normalise/workloads.ts";

export interface BuiltModel {
  readonly model: Model;
  /** In the order of the objects that have them. */
  readonly problems: readonly Problem[];
}

/**
 * Makes the model from the objects of all sources. Equal objects give an equal model; what did not change since the
 * last call is the same object again, so that who reads it can tell.
 */
export class ModelBuilder {
  private readonly domain: string;
  private readonly services = new Memo<Normalised<Service | undefined>>();
  private readonly endpoints = new Memo<Normalised<readonly Endpoint[]>>();
  private readonly rules = new Memo<HostRoute>();
  private readonly routes = new Memo<readonly Route[]>();
  private readonly workloads = new Memo<Workload | undefined>();

  constructor(domain = defaultDomain) {
    this.domain = domain;
  }

  build(objects: readonly KnownObject[]): BuiltModel {
    const problems: Problem[] = [];
    const byKind = groupByKind(withoutDuplicates(objects, problems));
    const pods = podLookup(byKind.Pod);
    const slices = slicesByService(byKind.EndpointSlice);
    const services = new Map<string, Service>();
    const endpoints = new Map<string, readonly Endpoint[]>();
    for (const object of byKind.Service) {
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
    const routes = this.buildRoutes(byKind.RouteRule);
    const workloads = this.buildWorkloads(byKind.Pod);
    for (const memo of [this.services, this.endpoints, this.rules, this.routes, this.workloads])
      memo.endRound();
    return { model: { services: sorted(services), endpoints, routes, workloads }, problems };
  }

  private buildRoutes(objects: readonly RouteRuleObject[]): Map<string, readonly Route[]> {
    const found = new Map<string, Route[]>();
    for (const object of objects) {
      const { hostname, route } = this.rules.get(objectKey(object), [object], () =>
        normaliseRouteRule(object, this.domain),
      );
      found.set(hostname, [...(found.get(hostname) ?? []), route]);
    }
    return new Map(
      [...found].map(([hostname, routes]) => {
        const ordered = routes.sort((a, b) => b.precedence - a.precedence || (a.name < b.name ? -1 : 1));
        return [hostname, this.routes.get(hostname, ordered, () => ordered)];
      }),
    );
  }

  private buildWorkloads(objects: readonly PodObject[]): Map<string, Workload> {
    const workloads = new Map<string, Workload>();
    for (const object of objects) {
      const workload = this.workloads.get(objectKey(object), [object], () => normaliseWorkload(object));
      if (workload !== undefined) workloads.set(workload.name, workload);
    }
    return sorted(workloads);
  }
}

/** Of objects of one name the one counts whose origin sorts first. */
function withoutDuplicates(objects: readonly KnownObject[], problems: Problem[]): KnownObject[] {
  const chosen = new Map<string, KnownObject>();
  for (const object of objects) {
    const key = objectKey(object);
    const other = chosen.get(key);
    if (other === undefined || compareLocations(object.origin.locate([]), other.origin.locate([])) < 0)
      chosen.set(key, object);
  }
  if (chosen.size === objects.length) return [...objects];
  for (const object of objects) {
    const first = chosen.get(objectKey(object));
    if (first === undefined || first === object) continue;
    const where = formatLocation(first.origin.locate([]));
    const text = `${describeObject(object)} stands at ${where}, too; that one counts`;
    problems.push(problemOf("error", object, ["metadata", "name"], text));
  }
  return [...chosen.values()];
}

interface ByKind {
  Service: ServiceObject[];
  EndpointSlice: EndpointSliceObject[];
  Pod: PodObject[];
  RouteRule: RouteRuleObject[];
}

function groupByKind(objects: readonly KnownObject[]): ByKind {
  const groups: ByKind = { Service: [], EndpointSlice: [], Pod: [], RouteRule: [] };
  for (const object of objects) (groups[object.kind] as KnownObject[]).push(object);
  return groups;
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

function sorted<V>(map: ReadonlyMap<string, V>): Map<string, V> {
  return new Map([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
}
