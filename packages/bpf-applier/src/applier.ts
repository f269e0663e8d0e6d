import { join } from "node:path";
import type { ChannelCredentials } from "@grpc/grpc-js";
import { applierIdPrefix, nodeNameMetadata } from "@keelson/model/names";
import type { WantedRequests } from "@keelson/model/observation";
import { policyTypeUrls } from "@keelson/protos";
import type { SavedResource, SavedUpdate } from "@keelson/protos/state";
import type { Edge } from "@keelson/protos/telemetry";
import { type DeltaUpdate, DeltaXdsClient } from "@keelson/xds";
import { BpfError } from "bpf-maps-native";
import type { Logger } from "pino";
import { Banks } from "./banks.ts";
import { EdgeNames } from "./edge-names.ts";
import { EdgeReader, readStatistics, type Statistics } from "./edge-reader.ts";
import { InnerMaps } from "./inner-maps.ts";
import { nodeMetrics } from "./metrics/node-metrics.ts";
import { stateMetrics } from "./metrics/state-metrics.ts";
import type { NodeAgent } from "./node-agent.ts";
import { NodeTables } from "./node-tables.ts";
import { ObservationStream } from "./observe/observation-stream.ts";
import { RequestObserver, type RequestSink } from "./observe/request-observer.ts";
import { PinFolder } from "./pins.ts";
import { NodePods, type PodStatus } from "./pods/node-pods.ts";
import { PodMap } from "./pods/pod-map.ts";
import type { JournalUpdate } from "./policy-journal.ts";
import type { StagedUpdate } from "./policy-store.ts";
import { type MapSizes, Programs, uninstall } from "./programs.ts";
import { RejectionLog } from "./rejection-log.ts";
import { Rejections, reasonsText } from "./rejections.ts";
import type { StartRelay } from "./relay/relay.ts";
import { RelayKeeper, type RelayKeeperStatus } from "./relay/relay-keeper.ts";
import { RelayMap } from "./relay/relay-map.ts";
import { Repeater } from "./repeater.ts";
import { type SocketMode, type SocketStatus, takesRequests } from "./request-programs.ts";
import { NodeUnfit } from "./requirements.ts";
import { SavedPolicy } from "./saved-policy.ts";
import { Serial } from "./serial.ts";
import { MatchTableMaps } from "./switching/match-table-maps.ts";
import { RingMaps } from "./switching/ring-maps.ts";
import type { SwitchingStatus } from "./switching/switching-status.ts";
import { TelemetryReporter } from "./telemetry.ts";

export interface ApplierOptions {
  /** Name of this node, as in the pods' spec.nodeName. */
  readonly node: string;
  /** host:port of the control plane's xDS port. */
  readonly controlPlane: string;
  readonly credentials: ChannelCredentials;
  /** The cgroup v2 folder below which the node's pods are looked for. */
  readonly cgroup: string;
  /** Pods of these Kubernetes namespaces are left alone. */
  readonly excludedNamespaces: readonly string[];
  /** The last good policy is kept here, in a folder named after the node. */
  readonly stateFolder: string;
  /** Time between two reports of counters. */
  readonly reportIntervalMs: number;
  readonly mapSizes?: MapSizes;
  /** Starts what decides each request; undefined: every connection is decided once. */
  readonly relay?: StartRelay;
  /** Its listeners outlive it. */
  readonly relayListenersLast?: boolean;
  /** It goes on for the next agent when this one is closed. */
  readonly relayStays?: boolean;
  /** What is done with callers' sockets, if the kernel and this process's rights allow it. */
  readonly sockets: SocketMode;
  readonly logger: Logger;
}

export interface TypeStatus {
  /** system_version_info of the last response that the maps hold. */
  readonly version: string;
  readonly appliedAt: Date;
}

export interface ApplierStatus {
  readonly node: string;
  readonly cgroup: string;
  readonly connected: boolean;
  readonly connectionError?: string;
  /** What of a type was not taken, and why; gone once something newer is known of all of it. */
  readonly rejected: Record<string, string>;
  readonly types: Record<string, TypeStatus>;
  readonly services: number;
  /** Why the node's disk does not have the policy that the maps hold. */
  readonly unsavedBecause?: string;
  readonly flips: bigint;
  /** Another agent has put its programs in place of this one's, or has taken them off; what else is said here is not so then. */
  readonly supplanted?: true;
  /** Folders of all pods that programs hang on, below `cgroup`; none: there is no kubelet (yet). */
  readonly attachedTo: readonly string[];
  /** Why new pods are found only by looking again and again. */
  readonly unwatchedBecause?: string;
  readonly pods: readonly PodStatus[];
  /** Workloads of this node whose cgroup was not found. */
  readonly workloadsWithoutCgroup: readonly string[];
  /** Undefined: the node has none. */
  readonly relay?: RelayKeeperStatus;
  readonly sockets: SocketStatus;
  /** Undefined: programs take no requests. */
  readonly switching?: SwitchingStatus;
  readonly statistics: Statistics;
}

const journalIntervalMs = 1_000;
const pruneIntervalMs = 10 * 60_000;
const lookIntervalMs = 10_000;

interface NodeParts {
  readonly pins: PinFolder;
  readonly programs: Programs;
  readonly banks: Banks;
  readonly podMap: PodMap;
  /** Undefined: programs take no requests. */
  readonly matchTables: MatchTableMaps | undefined;
  readonly rings: RingMaps | undefined;
}

/** One node's agent: the IR comes in, maps change, counters go out. */
export class Applier implements NodeAgent {
  private readonly options: ApplierOptions;
  private readonly pins: PinFolder;
  private readonly programs: Programs;
  private readonly banks: Banks;
  private readonly tables: NodeTables;
  private readonly names = new EdgeNames();
  private readonly edgeReader: EdgeReader;
  private readonly pods: NodePods;
  private readonly relay: RelayKeeper | undefined;
  private readonly savedPolicy: SavedPolicy;
  /** Updates, and the journal's upkeep, which must see the policy between two updates. */
  private readonly serial = new Serial();
  private readonly client: DeltaXdsClient;
  private readonly telemetry: TelemetryReporter;
  private readonly observer: RequestObserver;
  private readonly observationStream: ObservationStream;
  private readonly repeaters: readonly Repeater[];
  private readonly types: Record<string, TypeStatus> = {};
  /** By type. */
  private readonly rejections: Record<string, Rejections> = {};
  private readonly rejectionLog: RejectionLog;
  private connection: { connected: boolean; error?: string } = { connected: false };
  private isSupplanted = false;

  private constructor(
    options: ApplierOptions,
    { pins, programs, banks, podMap, matchTables, rings }: NodeParts,
  ) {
    this.options = options;
    this.rejectionLog = new RejectionLog(options.logger);
    this.pins = pins;
    this.programs = programs;
    this.banks = banks;
    this.edgeReader = new EdgeReader(programs.maps, this.names);
    this.relay = options.relay && this.relayKeeper(options.relay);
    const { relay } = this;
    this.tables = new NodeTables({
      banks,
      relay,
      matchTables: relay && matchTables,
      rings: relay && rings,
      onTable: (table) => this.names.learn(table.names),
      onMatchTable: () => this.serial.run(() => this.takeWaiting()),
      onMatchTableError: (error) =>
        options.logger.warn({ err: error }, "a match table could not be made; trying again in a while"),
    });
    this.pods = new NodePods({
      top: options.cgroup,
      excludedNamespaces: options.excludedNamespaces,
      map: podMap,
      attach: (roots) => programs.attach(pins, roots),
      ...(relay === undefined ? {} : { onNetworks: (networks) => relay.setNetworks(networks) }),
      onError: (what, error) => options.logger.warn({ err: error }, `could not ${what}; trying again`),
    });
    this.savedPolicy = new SavedPolicy({
      path: join(options.stateFolder, options.node, "policy.journal"),
      content: () => this.heldPolicy(),
      logger: options.logger,
    });
    this.client = this.xdsClient();
    this.telemetry = this.telemetryReporter();
    this.observer = new RequestObserver({
      names: this.names,
      ...(programs.sockets.mode === "off" ? {} : { maps: programs.maps }),
      ...(relay === undefined ? {} : { relay }),
      onError: (error) => options.logger.warn({ err: error }, "single requests cannot be seen"),
    });
    this.observationStream = new ObservationStream({
      node: options.node,
      address: options.controlPlane,
      credentials: options.credentials,
      observe: (wanted, sink) => this.observe(wanted, sink),
    });
    this.repeaters = [
      this.repeat("save the policy", journalIntervalMs, () => this.serial.run(() => this.savedPolicy.keep())),
      this.repeat("look whether programs are in place", lookIntervalMs, () => this.lookAtPrograms()),
      this.repeat("prune counters", pruneIntervalMs, () => this.edgeReader.prune(this.tables.store.names())),
    ];
  }

  /**
   * Brings the node to the last policy it held, then follows the control plane.
   * @throws NodeUnfit if the kernel refuses the programs; BpfError if they cannot be attached.
   */
  static async start(options: ApplierOptions): Promise<Applier> {
    const pins = await PinFolder.create(options.node);
    const programs = await loadPrograms(pins, options);
    try {
      const { maps, switching } = programs;
      const banks = await Banks.open(
        { ...maps, ...switching?.outerMaps },
        new InnerMaps((name) => pins.map(name)),
      );
      const podMap = await PodMap.adopt(maps.workloads);
      const matchTables = switching && (await MatchTableMaps.adopt(switching.matchTables));
      const rings = switching && (await RingMaps.adopt(switching.rings));
      const applier = new Applier(options, { pins, programs, banks, podMap, matchTables, rings });
      const { relay } = applier;
      if (relay === undefined) await new RelayMap(maps.relays).clear();
      await applier.restore();
      // An earlier agent's relay goes on until programs send it nobody any more whose origin only maps of another layout know,
      // and its maps stay until it has given all away.
      await applier.pods.start();
      await relay?.start();
      await programs.leaveOthers(pins);
      applier.follow();
      return applier;
    } catch (error) {
      programs.close();
      throw error;
    }
  }

  status(): ApplierStatus {
    const { connected, error } = this.connection;
    const { unwatchedBecause } = this.pods;
    const { unsavedBecause } = this.savedPolicy;
    return {
      node: this.options.node,
      cgroup: this.options.cgroup,
      connected,
      ...(error === undefined ? {} : { connectionError: error }),
      rejected: rejectedTexts(this.rejections),
      types: this.types,
      services: this.tables.store.serviceCount(),
      ...(unsavedBecause === undefined ? {} : { unsavedBecause }),
      flips: this.banks.flips,
      ...(this.isSupplanted ? { supplanted: true } : {}),
      attachedTo: this.pods.attachedTo(),
      ...(unwatchedBecause === undefined ? {} : { unwatchedBecause }),
      pods: this.pods.status(),
      workloadsWithoutCgroup: this.pods.withoutCgroup(),
      ...(this.relay === undefined ? {} : { relay: this.relay.status() }),
      sockets: this.programs.sockets,
      ...(this.programs.switching === undefined ? {} : { switching: this.tables.store.switching() }),
      statistics: readStatistics(this.programs.maps.statistics),
    };
  }

  async edges(): Promise<Edge[]> {
    return this.edgeReader.read(await this.relay?.counters());
  }

  observe(wanted: WantedRequests, sink: RequestSink): () => void {
    return this.observer.observe(wanted, sink);
  }

  async metrics(): Promise<string> {
    const counters = nodeMetrics(await this.edges(), readStatistics(this.programs.maps.statistics));
    const state = stateMetrics({
      isIdle: false,
      connected: this.connection.connected,
      rejected: rejectedTexts(this.rejections),
      unsavedBecause: this.savedPolicy.unsavedBecause,
      relay: this.relay?.status(),
      sockets: this.programs.sockets,
    });
    return counters + state;
  }

  /** Ends this process's part; programs and maps stay, and traffic goes on under the last policy. */
  close(): Promise<void> {
    return this.options.relayStays === true ? this.giveUp() : this.end(false);
  }

  giveUp(): Promise<void> {
    return this.end(true);
  }

  private async end(relayStays: boolean): Promise<void> {
    for (const repeater of this.repeaters) await repeater.stop();
    this.telemetry.close();
    this.observationStream.close();
    this.observer.close();
    await this.client.close();
    await this.tables.close();
    // Before networks are closed, which it listens in.
    await (relayStays ? this.relay?.leave() : this.relay?.close());
    await this.pods.stop();
    await this.savedPolicy.close();
    this.banks.close();
    this.programs.close();
  }

  /** As close, but takes everything off the node. @returns how many programs were detached. */
  async release(): Promise<number> {
    await this.end(false);
    return uninstall(this.pins);
  }

  private follow(): void {
    this.client.start();
    this.telemetry.start();
    this.observationStream.start();
    for (const repeater of this.repeaters) repeater.start();
  }

  private xdsClient(): DeltaXdsClient {
    const { node, controlPlane, credentials, logger } = this.options;
    return new DeltaXdsClient({
      address: controlPlane,
      credentials,
      node: { id: `${applierIdPrefix}${node}`, metadata: { [nodeNameMetadata]: node } },
      typeUrls: Object.values(policyTypeUrls),
      initialResourceVersions: (typeUrl) => this.tables.store.versions(typeUrl),
      onUpdate: (update) => this.serial.run(() => this.onUpdate(update)),
      onState: (state) => {
        if (state.connected !== this.connection.connected || state.error !== this.connection.error) {
          logger[state.connected ? "info" : "warn"](
            { controlPlane, ...state },
            state.connected ? "connected" : "not connected to the control plane",
          );
        }
        this.connection = state;
        if (state.connected) this.observationStream.tryNow();
      },
    });
  }

  private relayKeeper(start: StartRelay): RelayKeeper {
    const { switching } = this.programs;
    return new RelayKeeper({
      start,
      ...(switching === undefined ? {} : { switching: this.pins.mapFolder }),
      map: new RelayMap(this.programs.maps.relays),
      listenersLast: this.options.relayListenersLast ?? false,
      onError: (what, error) => this.options.logger.warn({ err: error }, `could not ${what}`),
    });
  }

  private telemetryReporter(): TelemetryReporter {
    const { node, controlPlane, credentials, reportIntervalMs, logger } = this.options;
    return new TelemetryReporter({
      address: controlPlane,
      credentials,
      intervalMs: reportIntervalMs,
      report: async () => ({
        node,
        takenAtMs: BigInt(Date.now()),
        edges: await this.edges(),
        uncounted: readStatistics(this.programs.maps.statistics).uncounted,
      }),
      onError: (error) => logger.debug({ err: error }, "counters not reported; the next report has them"),
    });
  }

  /** Agents of one run folder know of each other; one of another folder is seen by what it does. */
  private lookAtPrograms(): Promise<void> {
    const before = this.isSupplanted;
    this.isSupplanted = !this.programs.areInPlace(this.pins);
    if (this.isSupplanted && !before)
      this.options.logger.error(
        "another agent of this node, with another --run-dir, has put its programs in place of this one's, or has taken them off: end one of the two, and start the other again",
      );
    return Promise.resolve();
  }

  private repeat(what: string, everyMs: number, action: () => Promise<unknown>): Repeater {
    return new Repeater(everyMs, action, (error) => {
      this.options.logger.warn({ err: error }, `could not ${what}; trying again in ${everyMs / 1000} s`);
    });
  }

  /**
   * Resolves once the maps, and the relay, hold the update: that is what an ack means.
   * @throws Error naming what of it was not taken, while the rest is live; or why nothing was.
   */
  private async onUpdate(update: DeltaUpdate): Promise<void> {
    const { typeUrl: type, systemVersion: version, added, removed } = update;
    const rejections = (this.rejections[type] ??= new Rejections());
    const { logger } = this.options;
    let staged: StagedUpdate;
    try {
      staged = this.tables.stage(update);
      await this.save(staged);
    } catch (error) {
      rejections.failed((error as Error).message);
      this.rejectionLog.rejected({ type, version }, (error as Error).message);
      throw error;
    }
    const { rejected, taken } = staged;
    rejections.took(update, rejected);
    if (rejected.size > 0) {
      const counts = { rejected: rejected.size, taken: taken.added.length + taken.removed.length };
      this.rejectionLog.rejected({ type, version }, rejections.text ?? "", counts);
      throw new Error(reasonsText(rejected.values()));
    }
    if (rejections.text === undefined) this.rejectionLog.over(type);
    this.types[type] = { version, appliedAt: new Date() };
    logger.info({ type, version, added: added.length, removed: removed.length }, "update applied");
  }

  /** Saves what was staged, then makes it live. */
  private async save(staged: StagedUpdate): Promise<void> {
    const { typeUrl, added, removed } = staged.taken;
    const takeBack = await this.savedPolicy.append({ typeUrl, added: [...added], removed: [...removed] });
    try {
      await this.take(staged);
    } catch (error) {
      await takeBack();
      throw error;
    }
  }

  private async take(staged: StagedUpdate): Promise<void> {
    if (!(await this.tables.apply(staged))) return;
    const workloads = [...this.tables.store.localWorkloads()];
    this.names.learnWorkloads(workloads.map((workload) => workload.name));
    this.pods.tell(workloads);
  }

  /** Nothing of the policy is new, so that the journal is not asked. */
  private async takeWaiting(): Promise<void> {
    const staged = this.tables.stageWaiting();
    if (staged.changes.size === 0) return;
    await this.take(staged).catch((error: Error) => {
      this.options.logger.warn(
        { err: error },
        "a match table cannot be used; it is tried with the next change",
      );
    });
  }

  private async restore(): Promise<void> {
    const { logger } = this.options;
    const { path } = this.savedPolicy;
    const updates = await this.savedPolicy.read();
    for (const update of mergeUpdates(updates)) {
      const staged = this.tables.stage(update);
      if (staged.rejected.size > 0) {
        const reason = reasonsText(staged.rejected.values());
        logger.error({ path, reason }, "a part of the saved policy cannot be used");
      }
      await this.take(staged).catch((error: Error) => {
        logger.error({ err: error, path }, "the saved policy cannot be used; waiting for the control plane");
      });
    }
    if (updates.length > 0)
      logger.info({ services: this.tables.store.serviceCount() }, "saved policy is live");
  }

  private heldPolicy(): JournalUpdate[] {
    const { store } = this.tables;
    return Object.values(policyTypeUrls).map((typeUrl) => ({
      typeUrl,
      added: Array.from(store.resources(typeUrl), ({ name, version, body }) => ({ name, version, body })),
    }));
  }
}

/** A kernel that refuses them will do so again: nothing is gained by trying, and nothing by ending. */
async function loadPrograms(
  pins: PinFolder,
  { mapSizes, sockets, relay, logger }: ApplierOptions,
): Promise<Programs> {
  try {
    const isIdle = takesRequests(sockets) && relay === undefined;
    if (isIdle)
      logger.warn(`--sockets=${sockets} is as count: there is no relay that requests could be taken from`);
    const programs = await Programs.load(pins, mapSizes, isIdle ? "count" : sockets);
    const { mode, lowerBecause } = programs.sockets;
    if (lowerBecause !== undefined)
      logger.warn(`callers' sockets are treated as with --sockets=${mode}: ${lowerBecause}`);
    return programs;
  } catch (error) {
    throw error instanceof BpfError ? new NodeUnfit(error.message, error) : error;
  }
}

/** What all updates together lead to, as one update for each type, in the order in which a node applies types. */
export function mergeUpdates(updates: readonly SavedUpdate[]): DeltaUpdate[] {
  return Object.values(policyTypeUrls).flatMap((typeUrl) => {
    const held = new Map<string, SavedResource>();
    const own = updates.filter((update) => update.typeUrl === typeUrl);
    for (const { added, removed } of own) {
      for (const name of removed) held.delete(name);
      for (const resource of added) held.set(resource.name, resource);
    }
    return own.length === 0 ? [] : [{ typeUrl, systemVersion: "", added: [...held.values()], removed: [] }];
  });
}

const rejectedTexts = (rejections: Readonly<Record<string, Rejections>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(rejections).flatMap(([type, { text }]) => (text === undefined ? [] : [[type, text]])),
  );
