import { type Cluster, ClusterSchema } from "@envoyproxy/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import type { Resource } from "@keelson/protos";
import { Resolution } from "@keelson/protos/policy";
import type { RouteTable } from "@keelson/protos/route";
import { labelPartsOf } from "../cluster/label-parts.ts";
import { holdsEndpoints } from "../cluster/outbound-cluster.ts";
import type { ClusterEntry } from "../cluster/service-clusters.ts";
import type { Context } from "../context.ts";
import type { EndpointSource } from "../endpoint/assignments.ts";
import { dataKey } from "./interner.ts";
import type { Makers } from "./makers.ts";
import { Origin } from "./origin.ts";
import { noResources, type ResourceMap, resourceMap } from "./resource-maps.ts";

/** Lists that have been made; kept from one state to the next where they are still right. */
export interface Made {
  entries?: readonly ClusterEntry[];
  clusters?: ResourceMap;
  listeners?: ResourceMap;
  routes?: ResourceMap;
  endpoints?: ResourceMap;
  nameTable?: ResourceMap;
  extensionConfigs?: ResourceMap;
}

/** What resources are made from, by which tools, and after what. */
export interface Making<Input extends Context = Context> {
  readonly context: Input;
  readonly makers: Makers;
  /** What was right before: what comes out the same is kept. */
  readonly before: Made;
  /** What is still right. */
  readonly made: Made;
}

/** What proxies of one kind have in common. Immutable; each list is made when it is first asked for. */
export abstract class MeshResources {
  readonly context: Context;
  protected readonly makers: Makers;
  /** What was right before: what comes out the same is kept. */
  protected readonly before: Made;
  /** What has been made so far, or is still right. */
  protected readonly made: Made;
  private readonly origin: Origin;

  constructor({ context, makers, before, made }: Making, inputs: readonly unknown[] = []) {
    this.context = context;
    this.makers = makers;
    this.before = before;
    this.made = made;
    this.origin = new Origin(context, inputs);
  }

  /** Tables whose rules these proxies follow. */
  protected abstract ruleTables(): Iterable<RouteTable>;
  /** Clusters that stand for no service. */
  protected abstract otherClusters(): Iterable<Resource>;
  abstract get listeners(): ResourceMap;
  abstract get routes(): ResourceMap;
  abstract get nameTable(): ResourceMap;
  /** A listener or routes that no list has, for whoever asks for them by name. The same object for the same name. */
  abstract stray(typeUrl: string, name: string): Resource | undefined;
  /** The same resources, of which only `made` is still right. */
  protected abstract remake(making: Making): MeshResources;

  /** What is loaded into proxies; libraries load nothing. */
  get extensionConfigs(): ResourceMap {
    return noResources;
  }

  isRightFor(context: Context, inputs: readonly unknown[] = []): boolean {
    return this.origin.isRightFor(context, inputs);
  }

  /** What has been made so far, or before. */
  get lists(): Made {
    return { ...this.before, ...this.made };
  }

  /** Services whose endpoints these depend on. */
  get hostnames(): string[] {
    return this.context.scope.services.map(({ service }) => service.hostname);
  }

  get clusters(): ResourceMap {
    return (this.made.clusters ??= resourceMap(this.makeClusters(), this.before.clusters));
  }

  private get entries(): readonly ClusterEntry[] {
    return (this.made.entries ??= this.makeEntries());
  }

  private makeEntries(): readonly ClusterEntry[] {
    const parts = labelPartsOf(this.ruleTables(), this.context.services);
    return this.context.scope.services.flatMap((scoped) => this.entriesOf(scoped, parts));
  }

  protected entriesOf(...[scoped, parts]: EntryInputs): readonly ClusterEntry[] {
    return this.makers.clusters.get(scoped, this.context, parts);
  }

  private *makeClusters(): Generator<Resource> {
    for (const { resource } of this.entries) yield resource;
    yield* this.otherClusters();
  }

  /** A cluster that is the same for all proxies with the same families and agent. */
  protected special(name: string, make: () => Cluster): Resource {
    const { agent, families } = this.context.proxy;
    return this.makers.special(dataKey([name, agent, families]), ClusterSchema, name, make);
  }

  get endpoints(): ResourceMap {
    return (this.made.endpoints ??= resourceMap(this.makeEndpoints(), this.before.endpoints));
  }

  private *makeEndpoints(): Generator<Resource> {
    for (const entry of this.entries) {
      if (entry.endpoints !== undefined) yield this.assignment(entry, entry.endpoints);
    }
  }

  private assignment({ resource }: ClusterEntry, source: EndpointSource): Resource {
    return this.makers.assignments.get(resource.name, this.context.endpointSet(source.set), source);
  }

  /** The same after some endpoint sets changed. @param changed names of sets. */
  withEndpoints(changed: ReadonlySet<string>): MeshResources {
    const services = [...changed].flatMap(
      (name) => this.context.services.get(name.split("|")[3] ?? "") ?? [],
    );
    const inClusters = services.some(holdsEndpoints);
    const inListeners = services.some(
      ({ resolution, addresses }) => resolution === Resolution.PASSTHROUGH && addresses.length === 0,
    );
    const { entries, clusters, endpoints, listeners, nameTable: names, routes } = this.made;
    const made: Made = {};
    if (!inClusters) Object.assign(made, entries && { entries }, clusters && { clusters });
    if (!inListeners)
      Object.assign(made, listeners && { listeners }, routes && { routes }, names && { nameTable: names });
    if (!inClusters && entries && endpoints)
      made.endpoints = this.replaceEndpoints(entries, endpoints, changed);
    return this.remake({ context: this.context, makers: this.makers, before: this.lists, made });
  }

  private replaceEndpoints(
    entries: readonly ClusterEntry[],
    before: ResourceMap,
    changed: ReadonlySet<string>,
  ): ResourceMap {
    // For each list after each change that it may be about: entries are many, and hardly any is.
    const replaced: Resource[] = [];
    for (const entry of entries) {
      if (entry.endpoints === undefined || !changed.has(entry.endpoints.set)) continue;
      const assignment = this.assignment(entry, entry.endpoints);
      if (assignment.version !== before.get(assignment.name)?.version) replaced.push(assignment);
    }
    if (replaced.length === 0) return before;
    const map = new Map(before);
    for (const assignment of replaced) map.set(assignment.name, assignment);
    return map;
  }
}

type EntryInputs = [scoped: Context["scope"]["services"][number], parts: ReturnType<typeof labelPartsOf>];
