import { join } from "node:path";
import type { WantedRequests } from "@keelson/model/observation";
import type { Edge } from "@keelson/protos/telemetry";
import type { ApplierOptions } from "./applier-options.ts";
import type { ApplierStatus } from "./applier-status.ts";
import { EdgeNames } from "./edge-names.ts";
import { EdgeReader, readStatistics } from "./edge-reader.ts";
import { nodeMetrics } from "./metrics/node-metrics.ts";
import { stateMetrics } from "./metrics/state-metrics.ts";
import type { NodeAgent } from "./node-agent.ts";
import { type NodeKernel, openNodeKernel } from "./node-kernel.ts";
import { NodePolicy } from "./node-policy.ts";
import { ObservationStream } from "./observe/observation-stream.ts";
import { RequestObserver, type RequestSink } from "./observe/request-observer.ts";
import { NodePods } from "./pods/node-pods.ts";
import { PolicyStream } from "./policy-stream.ts";
import { uninstall } from "./programs.ts";
import type { StartRelay } from "./relay/relay.ts";
import { RelayKeeper } from "./relay/relay-keeper.ts";
import { RelayMap } from "./relay/relay-map.ts";
import { Repeater } from "./repeater.ts";
import { TelemetryReporter } from "./telemetry.ts";

const journalIntervalMs = 1_000;
const pruneIntervalMs = 10 * 60_000;
const lookIntervalMs = 10_000;

/** One node's agent: the IR comes in, maps change, counters go out. */
export class Applier implements NodeAgent {
  private readonly options: ApplierOptions;
  private readonly kernel: NodeKernel;
  private readonly edgeReader: EdgeReader;
  private readonly pods: NodePods;
  private readonly relay: RelayKeeper | undefined;
  private readonly policy: NodePolicy;
  private readonly policyStream: PolicyStream;
  private readonly telemetry: TelemetryReporter;
  private readonly observer: RequestObserver;
  private readonly observationStream: ObservationStream;
  private readonly repeaters: readonly Repeater[];
  private isDisplaced = false;

  private constructor(options: ApplierOptions, kernel: NodeKernel) {
    const { programs } = kernel;
    const { controlPlane, credentials, logger, node } = options;
    const names = new EdgeNames();
    this.options = options;
    this.kernel = kernel;
    this.edgeReader = new EdgeReader(programs.maps, names);
    this.relay = options.relay && this.relayKeeper(options.relay);
    this.pods = this.nodePods();
    this.policy = this.nodePolicy(names);
    this.policyStream = new PolicyStream({
      ...options,
      held: (typeUrl) => this.policy.store.versions(typeUrl),
      onUpdate: (update) => this.policy.take(update),
      onConnected: () => this.observationStream.tryNow(),
    });
    this.telemetry = this.telemetryReporter();
    this.observer = new RequestObserver({
      names,
      ...(programs.sockets.mode === "off" ? {} : { maps: programs.maps }),
      ...(this.relay === undefined ? {} : { relay: this.relay }),
      onError: (error) => logger.warn({ err: error }, "single requests cannot be seen"),
    });
    this.observationStream = new ObservationStream({
      node,
      address: controlPlane,
      credentials,
      observe: (wanted, sink) => this.observe(wanted, sink),
    });
    this.repeaters = [
      this.repeat("save the policy", journalIntervalMs, () => this.policy.keep()),
      this.repeat("look whether programs are in place", lookIntervalMs, () => this.lookAtPrograms()),
      this.repeat("prune counters", pruneIntervalMs, () => this.pruneCounters()),
    ];
  }

  /**
   * Brings the node to the last policy it held, then follows the control plane.
   * @throws NodeUnfit if the kernel refuses the programs; BpfError if they cannot be attached.
   */
  static async start(options: ApplierOptions): Promise<Applier> {
    const kernel = await openNodeKernel(options);
    const { pins, programs } = kernel;
    try {
      const applier = new Applier(options, kernel);
      const { relay } = applier;
      if (relay === undefined) await new RelayMap(programs.maps.relays).clear();
      await applier.policy.restore();
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
    const { banks, programs } = this.kernel;
    const { connected, error } = this.policyStream.connection;
    const { unwatchedBecause } = this.pods;
    return {
      node: this.options.node,
      cgroup: this.options.cgroup,
      connected,
      ...(error === undefined ? {} : { connectionError: error }),
      ...this.policy.status(),
      flips: banks.flips,
      ...(this.isDisplaced ? { displaced: true } : {}),
      attachedTo: this.pods.attachedTo(),
      ...(unwatchedBecause === undefined ? {} : { unwatchedBecause }),
      pods: this.pods.status(),
      workloadsWithoutCgroup: this.pods.withoutCgroup(),
      ...(this.relay === undefined ? {} : { relay: this.relay.status() }),
      sockets: programs.sockets,
      ...(programs.switching === undefined ? {} : { switching: this.policy.store.switching() }),
      statistics: readStatistics(programs.maps.statistics),
    };
  }

  async edges(): Promise<Edge[]> {
    return this.edgeReader.read(await this.relay?.counters());
  }

  observe(wanted: WantedRequests, sink: RequestSink): () => void {
    return this.observer.observe(wanted, sink);
  }

  async metrics(): Promise<string> {
    const { maps, sockets } = this.kernel.programs;
    const { rejected, unsavedBecause } = this.policy.status();
    const counters = nodeMetrics(await this.edges(), readStatistics(maps.statistics));
    const state = stateMetrics({
      isIdle: false,
      connected: this.policyStream.connection.connected,
      rejected,
      unsavedBecause,
      relay: this.relay?.status(),
      sockets,
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

  /** As close, but takes everything off the node. @returns how many programs were detached. */
  async release(): Promise<number> {
    await this.end(false);
    return uninstall(this.kernel.pins);
  }

  private follow(): void {
    this.policyStream.start();
    this.telemetry.start();
    this.observationStream.start();
    for (const repeater of this.repeaters) repeater.start();
  }

  private async end(relayStays: boolean): Promise<void> {
    for (const repeater of this.repeaters) await repeater.stop();
    this.telemetry.close();
    this.observationStream.close();
    this.observer.close();
    await this.policyStream.close();
    await this.policy.close();
    // Before networks are closed, which it listens in.
    await (relayStays ? this.relay?.leave() : this.relay?.close());
    await this.pods.stop();
    this.kernel.banks.close();
    this.kernel.programs.close();
  }

  private relayKeeper(start: StartRelay): RelayKeeper {
    const { pins, programs } = this.kernel;
    return new RelayKeeper({
      start,
      ...(programs.switching === undefined ? {} : { switching: pins.mapFolder }),
      map: new RelayMap(programs.maps.relays),
      listenersLast: this.options.relayListenersLast ?? false,
      onError: (what, error) => this.options.logger.warn({ err: error }, `could not ${what}`),
    });
  }

  private nodePods(): NodePods {
    const { cgroup, excludedNamespaces, logger } = this.options;
    const { pins, podMap, programs } = this.kernel;
    const { relay } = this;
    return new NodePods({
      top: cgroup,
      excludedNamespaces,
      map: podMap,
      attach: (roots) => programs.attach(pins, roots),
      ...(relay === undefined ? {} : { onNetworks: (networks) => relay.setNetworks(networks) }),
      onError: (what, error) => logger.warn({ err: error }, `could not ${what}; trying again`),
    });
  }

  private nodePolicy(names: EdgeNames): NodePolicy {
    const { node, stateFolder, logger } = this.options;
    const { banks, matchTables, rings } = this.kernel;
    const { relay } = this;
    return new NodePolicy({
      banks,
      relay,
      matchTables: relay && matchTables,
      rings: relay && rings,
      onTable: (table) => names.learn(table.names),
      onWorkloads: (workloads) => {
        names.learnWorkloads(workloads.map(({ name }) => name));
        this.pods.tell(workloads);
      },
      path: join(stateFolder, node, "policy.journal"),
      logger,
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
        uncounted: readStatistics(this.kernel.programs.maps.statistics).uncounted,
      }),
      onError: (error) => logger.debug({ err: error }, "counters not reported; the next report has them"),
    });
  }

  /** No other agent can have them (PinLock), but whoever is root can remove pins, and the programs go with them. */
  private lookAtPrograms(): Promise<void> {
    const { pins, programs } = this.kernel;
    const before = this.isDisplaced;
    this.isDisplaced = !programs.areInPlace(pins);
    if (this.isDisplaced && !before)
      this.options.logger.error(
        { pins: pins.path },
        "this agent's programs do not hang any more where it has put them, as somebody has removed or replaced their pins; rules have no effect until it is started again",
      );
    return Promise.resolve();
  }

  private repeat(what: string, everyMs: number, action: () => Promise<unknown>): Repeater {
    return new Repeater(everyMs, action, (error) => {
      this.options.logger.warn({ err: error }, `could not ${what}; trying again in ${everyMs / 1000} s`);
    });
  }

  private pruneCounters(): Promise<number> {
    const { store } = this.policy;
    return this.edgeReader.prune(
      store.names(),
      Array.from(store.localWorkloads(), ({ name }) => name),
    );
  }
}
