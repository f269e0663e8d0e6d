import { fromBinary } from "@bufbuild/protobuf";
import { policyTypeUrls } from "@keelson/protos";
import type { Endpoint, Service, Workload } from "@keelson/protos/policy";
import { EndpointSetSchema, ServiceSchema, WorkloadSchema } from "@keelson/protos/policy";
import type { DeltaUpdate } from "@keelson/xds";
import { type Named, type ServiceTable, serviceTable } from "./service-table.ts";

/** A resource as it came, kept for the snapshot on disk and for `initial_resource_versions`. */
export interface HeldResource {
  readonly name: string;
  readonly version: string;
  readonly body: Uint8Array;
}

/** Services whose tables are new, changed or gone (undefined). */
export type TableChanges = ReadonlyMap<string, ServiceTable | undefined>;

/** An update that has been understood, but not yet taken over. */
export interface StagedUpdate {
  readonly changes: TableChanges;
  readonly workloadsChanged: boolean;
  commit(): void;
}

/** A map seen through changes that are not yet made to it. */
class Overlay<V> {
  private readonly changed = new Map<string, V | undefined>();
  private readonly base: Map<string, V>;

  constructor(base: Map<string, V>) {
    this.base = base;
  }

  get(key: string): V | undefined {
    return this.changed.has(key) ? this.changed.get(key) : this.base.get(key);
  }

  set(key: string, value: V | undefined): void {
    this.changed.set(key, value);
  }

  keys(): Iterable<string> {
    return this.changed.keys();
  }

  commit(): void {
    for (const [key, value] of this.changed) {
      if (value === undefined) this.base.delete(key);
      else this.base.set(key, value);
    }
  }
}

interface HeldService {
  readonly service: Service;
  readonly table: ServiceTable;
}

/** The policy that the node holds, and what follows from it for the maps. Knows nothing of maps or streams. */
export class PolicyStore {
  private readonly held = new Map<string, Map<string, HeldResource>>(
    Object.values(policyTypeUrls).map((typeUrl) => [typeUrl, new Map()]),
  );
  private readonly endpointSets = new Map<string, readonly Endpoint[]>();
  private readonly services = new Map<string, HeldService>();
  private readonly workloads = new Map<string, Workload>();
  /** Endpoint set → hostnames of the services that refer to it. */
  private readonly users = new Map<string, Set<string>>();

  /**
   * Decodes and converts a whole update; nothing changes before `commit()`.
   * @throws Error with every reason, if any resource is malformed or a reference would lead nowhere.
   */
  stage(update: DeltaUpdate): StagedUpdate {
    const held = new Overlay(this.heldOf(update.typeUrl));
    for (const resource of update.added) held.set(resource.name, resource);
    for (const name of update.removed) held.set(name, undefined);
    switch (update.typeUrl) {
      case policyTypeUrls.endpointSet:
        return this.stageEndpointSets(update, held);
      case policyTypeUrls.service:
        return this.stageServices(update, held);
      default:
        return this.stageWorkloads(update, held);
    }
  }

  resources(typeUrl: string): Iterable<HeldResource> {
    return this.heldOf(typeUrl).values();
  }

  /** Resource name → version: what a new stream tells the control plane that this node holds. */
  versions(typeUrl: string): Record<string, string> {
    return Object.fromEntries([...this.resources(typeUrl)].map(({ name, version }) => [name, version]));
  }

  /** The workloads of this node. */
  localWorkloads(): Iterable<Workload> {
    return this.workloads.values();
  }

  serviceCount(): number {
    return this.services.size;
  }

  /** What the identifiers in edge keys stand for, for all services held. */
  names(): Map<bigint, Named> {
    const names = new Map<bigint, Named>();
    for (const { table } of this.services.values()) {
      for (const [identifier, named] of table.names) names.set(identifier, named);
    }
    return names;
  }

  private heldOf(typeUrl: string): Map<string, HeldResource> {
    const held = this.held.get(typeUrl);
    if (held === undefined) throw new Error(`${typeUrl} is not a type of the policy IR`);
    return held;
  }

  private stageEndpointSets(update: DeltaUpdate, held: Overlay<HeldResource>): StagedUpdate {
    const sets = new Overlay(this.endpointSets);
    forEachResource(update, (resource) =>
      sets.set(resource.name, fromBinary(EndpointSetSchema, resource.body).endpoints),
    );
    for (const name of update.removed) sets.set(name, undefined);
    const services = new Overlay(this.services);
    const affected = new Set([...sets.keys()].flatMap((name) => [...(this.users.get(name) ?? [])]));
    const changes = this.stageTables(
      affected,
      (hostname) => this.services.get(hostname)?.service,
      services,
      sets,
    );
    return this.staged(changes, false, () => {
      sets.commit();
      services.commit();
      held.commit();
    });
  }

  private stageServices(update: DeltaUpdate, held: Overlay<HeldResource>): StagedUpdate {
    const decoded = new Map<string, Service | undefined>();
    forEachResource(update, (resource) => {
      decoded.set(resource.name, fromBinary(ServiceSchema, resource.body));
    });
    for (const name of update.removed) decoded.set(name, undefined);
    const services = new Overlay(this.services);
    const sets = new Overlay(this.endpointSets);
    const changes = this.stageTables(decoded.keys(), (hostname) => decoded.get(hostname), services, sets);
    return this.staged(changes, false, () => {
      for (const hostname of decoded.keys()) this.refer(hostname, services.get(hostname)?.service);
      services.commit();
      held.commit();
    });
  }

  private stageWorkloads(update: DeltaUpdate, held: Overlay<HeldResource>): StagedUpdate {
    const workloads = new Overlay(this.workloads);
    forEachResource(update, (resource) =>
      workloads.set(resource.name, fromBinary(WorkloadSchema, resource.body)),
    );
    for (const name of update.removed) workloads.set(name, undefined);
    return this.staged(new Map(), true, () => {
      workloads.commit();
      held.commit();
    });
  }

  private stageTables(
    hostnames: Iterable<string>,
    serviceOf: (hostname: string) => Service | undefined,
    services: Overlay<HeldService>,
    sets: Overlay<readonly Endpoint[]>,
  ): Map<string, ServiceTable | undefined> {
    const changes = new Map<string, ServiceTable | undefined>();
    const lookUp = (name: string): readonly Endpoint[] => {
      const endpoints = sets.get(name);
      if (endpoints === undefined) throw new Error(`EndpointSet "${name}" is referred to, but not held`);
      return endpoints;
    };
    const reasons: string[] = [];
    for (const hostname of hostnames) {
      const service = serviceOf(hostname);
      try {
        const table = service && serviceTable(service, lookUp);
        services.set(hostname, service && table && { service, table });
        changes.set(hostname, table);
      } catch (error) {
        reasons.push(`Service "${hostname}": ${(error as Error).message}`);
      }
    }
    throwReasons(reasons);
    return changes;
  }

  private staged(changes: TableChanges, workloadsChanged: boolean, commit: () => void): StagedUpdate {
    return { changes, workloadsChanged, commit };
  }

  private refer(hostname: string, service: Service | undefined): void {
    const setsOf = (s: Service | undefined): string[] =>
      s?.ports.flatMap((port) => port.destinations.map((destination) => destination.endpointSet)) ?? [];
    for (const name of setsOf(this.services.get(hostname)?.service)) {
      const users = this.users.get(name);
      users?.delete(hostname);
      if (users?.size === 0) this.users.delete(name);
    }
    for (const name of setsOf(service)) {
      const users = this.users.get(name) ?? new Set();
      this.users.set(name, users.add(hostname));
    }
  }
}

function forEachResource(update: DeltaUpdate, convert: (resource: HeldResource) => void): void {
  const reasons: string[] = [];
  for (const resource of update.added) {
    try {
      convert(resource);
    } catch (error) {
      reasons.push(`${update.typeUrl} "${resource.name}": ${(error as Error).message}`);
    }
  }
  throwReasons(reasons);
}

/** Bounded, because it becomes the text of a nack. */
function throwReasons(reasons: readonly string[]): void {
  if (reasons.length === 0) return;
  const shown = reasons.slice(0, 5).join("; ");
  throw new Error(reasons.length > 5 ? `${shown}; and ${reasons.length - 5} more` : shown);
}
