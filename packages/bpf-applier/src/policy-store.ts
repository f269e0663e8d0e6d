import { fromBinary } from "@bufbuild/protobuf";
import { policyTypeUrls } from "@keelson/protos";
import type { EndpointSet, Service, Workload } from "@keelson/protos/policy";
import { EndpointSetSchema, ServiceSchema, WorkloadSchema } from "@keelson/protos/policy";
import type { DeltaUpdate } from "@keelson/xds";
import { Overlay } from "./overlay.ts";
import { type Named, type ServiceTable, serviceTable } from "./service-table.ts";
import { SetUsers, setsOf } from "./set-users.ts";
import type { StagedUpdate, TableChanges } from "./staged-update.ts";
import type { MatchTableMaker } from "./switching/match-table-maker.ts";
import { RingRoom } from "./switching/ring-room.ts";
import type { SwitchingRoom } from "./switching/switched-port.ts";
import {
  portsInWaiting,
  ringsOf,
  type SwitchingStatus,
  switchingStatus,
  tablesOf,
} from "./switching/switching-status.ts";
import { TableRoom } from "./switching/table-room.ts";

/** A resource as it came, kept for the snapshot on disk and for `initial_resource_versions`. */
interface HeldResource {
  readonly name: string;
  readonly version: string;
  readonly body: Uint8Array;
}

type Attempt = Omit<StagedUpdate, "taken" | "rejected">;

interface StoreOptions {
  /** The node has a relay. */
  readonly hasRelay: boolean;
  /** Programs take requests; undefined: they do not. */
  readonly tableMaker?: MatchTableMaker;
}

/** Adds why a resource of an update cannot be taken. */
type Reject = (name: string, reason: string) => void;

interface HeldService {
  readonly service: Service;
  readonly table: ServiceTable;
}

/** The policy that the node holds, and what follows from it for the maps. Knows nothing of maps or streams. */
export class PolicyStore {
  private readonly held = new Map<string, Map<string, HeldResource>>(
    Object.values(policyTypeUrls).map((typeUrl) => [typeUrl, new Map()]),
  );
  private readonly endpointSets = new Map<string, EndpointSet>();
  private readonly services = new Map<string, HeldService>();
  private readonly workloads = new Map<string, Workload>();
  private readonly users = new SetUsers();
  private readonly options: StoreOptions;

  constructor(options: StoreOptions = { hasRelay: false }) {
    this.options = options;
  }

  /**
   * Decodes and converts an update. A resource that is malformed, or whose references would lead nowhere, is left out and
   * stays as it is held, as gRPC and Envoy do (xDS: a client that rejects a resource takes the others of the response).
   * Nothing changes before `commit()`.
   * @throws Error if the type is not of the policy IR.
   */
  stage(update: DeltaUpdate): StagedUpdate {
    const rejected = new Map<string, string>();
    let taken = update;
    for (;;) {
      const before = rejected.size;
      const attempt = this.attempt(taken, (name, reason) => rejected.set(name, reason));
      if (rejected.size === before) return { ...attempt, taken, rejected };
      taken = without(taken, rejected);
    }
  }

  private attempt(update: DeltaUpdate, reject: Reject): Attempt {
    const held = new Overlay(this.heldOf(update.typeUrl));
    for (const resource of update.added) held.set(resource.name, resource);
    for (const name of update.removed) held.set(name, undefined);
    switch (update.typeUrl) {
      case policyTypeUrls.endpointSet:
        return this.stageEndpointSets(update, held, reject);
      case policyTypeUrls.service:
        return this.stageServices(update, held, reject);
      default:
        return this.stageWorkloads(update, held, reject);
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

  switching(): SwitchingStatus {
    return switchingStatus(Array.from(this.services.values(), ({ table }) => table));
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

  private stageEndpointSets(update: DeltaUpdate, held: Overlay<HeldResource>, reject: Reject): Attempt {
    const sets = new Overlay(this.endpointSets);
    forEachResource(update, reject, (resource) =>
      sets.set(resource.name, fromBinary(EndpointSetSchema, resource.body)),
    );
    for (const name of update.removed) sets.set(name, undefined);
    const services = new Overlay(this.services);
    const affected = new Set([...sets.keys()].flatMap((name) => [...this.users.of(name)]));
    const changes = this.stageTables(
      affected,
      (hostname) => this.services.get(hostname)?.service,
      services,
      sets,
      // The service was right before, so it is the sets.
      (hostname, reason) => {
        const used = setsOf(this.services.get(hostname)?.service);
        for (const name of sets.keys()) if (used.includes(name)) reject(name, reason);
      },
    );
    return this.staged({ changes, sets }, () => {
      sets.commit();
      services.commit();
      held.commit();
    });
  }

  private stageServices(update: DeltaUpdate, held: Overlay<HeldResource>, reject: Reject): Attempt {
    const decoded = new Map<string, Service | undefined>();
    forEachResource(update, reject, (resource) => {
      decoded.set(resource.name, fromBinary(ServiceSchema, resource.body));
    });
    for (const name of update.removed) decoded.set(name, undefined);
    const services = new Overlay(this.services);
    const sets = new Overlay(this.endpointSets);
    const serviceOf = (hostname: string): Service | undefined =>
      decoded.has(hostname) ? decoded.get(hostname) : this.services.get(hostname)?.service;
    const hostnames = new Set([...decoded.keys(), ...this.waiting()]);
    const changes = this.stageTables(hostnames, serviceOf, services, sets, reject);
    return this.staged({ changes }, () => {
      for (const hostname of decoded.keys())
        this.users.replace(hostname, this.services.get(hostname)?.service, services.get(hostname)?.service);
      services.commit();
      held.commit();
    });
  }

  /** Services with a match table that is being made: it may be there by now. */
  private waiting(): string[] {
    const waiting = Array.from(this.services).filter(([, { table }]) => portsInWaiting(table) > 0);
    return waiting.map(([hostname]) => hostname);
  }

  private stageWorkloads(update: DeltaUpdate, held: Overlay<HeldResource>, reject: Reject): Attempt {
    const workloads = new Overlay(this.workloads);
    forEachResource(update, reject, (resource) =>
      workloads.set(resource.name, fromBinary(WorkloadSchema, resource.body)),
    );
    for (const name of update.removed) workloads.set(name, undefined);
    return this.staged({ workloads }, () => {
      workloads.commit();
      held.commit();
    });
  }

  private stageTables(
    hostnames: Iterable<string>,
    serviceOf: (hostname: string) => Service | undefined,
    services: Overlay<HeldService>,
    sets: Overlay<EndpointSet>,
    reject: Reject,
  ): Map<string, ServiceTable | undefined> {
    const changes = new Map<string, ServiceTable | undefined>();
    const lookUp = (name: string): EndpointSet["endpoints"] => {
      const set = sets.get(name);
      if (set === undefined) throw new Error(`EndpointSet "${name}" is referred to, but not held`);
      return set.endpoints;
    };
    const staged = [...hostnames];
    const room = this.roomBeside(new Set(staged));
    const options = { hasRelay: this.options.hasRelay, ...(room && { room }) };
    for (const hostname of staged) {
      const service = serviceOf(hostname);
      try {
        const table = service && serviceTable(service, lookUp, options);
        services.set(hostname, service && table && { service, table });
        changes.set(hostname, table);
      } catch (error) {
        reject(hostname, `Service "${hostname}": ${(error as Error).message}`);
      }
    }
    return changes;
  }

  /** Beside what services have that are not staged. */
  private roomBeside(staged: ReadonlySet<string>): SwitchingRoom | undefined {
    const { tableMaker } = this.options;
    if (tableMaker === undefined) return undefined;
    const others = Array.from(this.services)
      .filter(([hostname]) => !staged.has(hostname))
      .map(([, { table }]) => table);
    const tables = new TableRoom(tableMaker, others.flatMap(tablesOf));
    const rings = new RingRoom(others.flatMap(ringsOf));
    return { tableOf: (port) => tables.tableOf(port), ringOf: rings.ringOf };
  }

  private staged(
    {
      changes = new Map(),
      sets = new Overlay(this.endpointSets),
      workloads,
    }: { changes?: TableChanges; sets?: Overlay<EndpointSet>; workloads?: Overlay<Workload> },
    commit: () => void,
  ): Attempt {
    return {
      changes,
      workloadsChanged: workloads !== undefined,
      endpointSet: (name) => sets.get(name),
      workloads: () => workloads?.values() ?? this.workloads.values(),
      commit,
    };
  }
}

const without = (update: DeltaUpdate, left: ReadonlyMap<string, string>): DeltaUpdate => ({
  ...update,
  added: update.added.filter(({ name }) => !left.has(name)),
  removed: update.removed.filter((name) => !left.has(name)),
});

function forEachResource(
  update: DeltaUpdate,
  reject: Reject,
  convert: (resource: HeldResource) => void,
): void {
  for (const resource of update.added) {
    try {
      convert(resource);
    } catch (error) {
      reject(resource.name, `${update.typeUrl} "${resource.name}": ${(error as Error).message}`);
    }
  }
}
