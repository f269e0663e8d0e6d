import { setTimeout as sleep } from "node:timers/promises";
import type {
  DeltaDiscoveryRequest,
  DiscoveryRequest,
} from "@envoyproxy/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import type * as grpc from "@grpc/grpc-js";
import { nodeNameMetadata } from "@keelson/model/names";
import type { ResourceSnapshot } from "@keelson/protos";
import { deltaAds, sotwAds } from "../service.ts";
import { type Admit, admitAll } from "./admission.ts";
import { type AdsCall, Connection, type ConnectionContext, endCall, type Speech } from "./connection.ts";
import { type ConnectionView, viewOfConnection } from "./connection-view.ts";
import { type Debounce, Debouncer } from "./debouncer.ts";
import { deltaCodec, deltaRequest } from "./delta-codec.ts";
import { ResourceEncoder } from "./encoding.ts";
import { type Epoch, epochOf, type State } from "./epoch.ts";
import type { XdsEvent } from "./events.ts";
import { defaultLimits, type ServerLimits } from "./limits.ts";
import { type NodeStatus, statusOf } from "./node-status.ts";
import { NodeViews } from "./node-views.ts";
import { nothingOnDemand, type OnDemand } from "./on-demand.ts";
import type { PeerNode } from "./peer-node.ts";
import { PushQueue } from "./push-queue.ts";
import { Refusal } from "./refusal.ts";
import { refusedEvent } from "./refused-event.ts";
import { sotwCodec, sotwRequest } from "./sotw-codec.ts";
import { StreamRate } from "./stream-rate.ts";
import { type TypeRule, TypeRules } from "./type-rules.ts";
import type { View } from "./view.ts";

export interface XdsServerOptions<Snapshot extends ResourceSnapshot = ResourceSnapshot> {
  /** Types in the order of reference: what is referred to first. Types not named here come last. */
  readonly types: readonly TypeRule[];
  /**
   * What a node gets of a snapshot; what is for all and what is for it by `Resource.node` if left out.
   * @param node the same object for all of a stream; undefined if its peer told none.
   */
  readonly viewOf?: (node: PeerNode | undefined, snapshot: Snapshot) => View;
  /** Keys of the nodes' metadata to keep; none but NODE_NAME if left out. */
  readonly keptMetadata?: readonly string[];
  /** Answers requests of types that no snapshot has; none if left out. */
  readonly onDemand?: OnDemand;
  /** Whether a client of the state of the world that asks for more names is sent the others again; none is if left out. */
  readonly answersInFull?: (node: PeerNode) => boolean;
  /** When changes are taken up; each at once if left out. */
  readonly debounce?: Debounce;
  /** Nodes that get every change at once in any case; none if left out. */
  readonly isUrgent?: (node: PeerNode) => boolean;
  /** Refuses streams before the first snapshot with UNAVAILABLE; else they wait. */
  readonly refusesUntilReady?: boolean;
  readonly onEvent?: (event: XdsEvent) => void;
  readonly limits?: Partial<ServerLimits>;
}

interface Numbered<Snapshot> {
  readonly snapshot: Snapshot;
  readonly epoch: Epoch;
}

/** Longest time in ms that a stream waits for its turn. */
const turnPatienceMs = 1_000;

/**
 * Serves snapshots of resources over ADS, delta and state of the world; knows nothing of what the resources mean. Until
 * the first snapshot is set there is no answer: an empty one would tell nodes to drop what they hold.
 */
export class XdsServer<Snapshot extends ResourceSnapshot = ResourceSnapshot> {
  readonly encoder = new ResourceEncoder();
  private readonly options: XdsServerOptions<Snapshot>;
  private readonly context: Omit<ConnectionContext, "admit">;
  private readonly nodeViews = new NodeViews();
  private readonly delta: Speech<DeltaDiscoveryRequest>;
  private readonly sotw: Speech<DiscoveryRequest>;
  private readonly connections = new Set<Connection>();
  /** Calls that gRPC still holds: a refused peer that does not read keeps what is queued for it. */
  private readonly calls = new Set<AdsCall>();
  private readonly queue: PushQueue<Connection>;
  private readonly rate: StreamRate;
  private readonly debouncer: Debouncer | undefined;
  /** What urgent nodes should hold, and what all others should. */
  private newest: Numbered<Snapshot> | undefined;
  private settled: Numbered<Snapshot> | undefined;
  private snapshots = 0;
  /** How many streams there have been. */
  private accepted = 0;
  private closed = false;

  constructor(options: XdsServerOptions<Snapshot>) {
    this.options = options;
    const limits = { ...defaultLimits, ...options.limits };
    this.queue = new PushQueue((connection) => connection.onNews(), limits.pushSlice);
    this.rate = new StreamRate(limits.streamsPerSecond, turnPatienceMs);
    this.debouncer = options.debounce && new Debouncer(options.debounce, () => this.settle());
    this.delta = { codec: deltaCodec(this.encoder), read: deltaRequest };
    this.sotw = { codec: sotwCodec(this.encoder), read: sotwRequest };
    this.context = {
      types: new TypeRules(options.types),
      limits,
      keptMetadata: options.keptMetadata ?? [nodeNameMetadata],
      onDemand: options.onDemand ?? nothingOnDemand,
      answersInFull: (node) => options.answersInFull?.(node) ?? false,
      newest: (node) => this.stateOf(node),
      epoch: () => this.settled?.epoch ?? epochOf(0n, 0),
      onEvent: (event) => options.onEvent?.(event),
      onClosed: (connection) => {
        this.connections.delete(connection);
        this.queue.remove(connection);
      },
    };
  }

  /**
   * Adds both methods of ADS to a gRPC server.
   * @param admit asked at the first request of a stream.
   */
  register(server: grpc.Server, admit: Admit = admitAll): void {
    const context = { ...this.context, admit };
    server.addService(deltaAds, {
      deltaAggregatedResources: (call: AdsCall<DeltaDiscoveryRequest>) =>
        this.accept(call, this.delta, context),
    });
    server.addService(sotwAds, {
      streamAggregatedResources: (call: AdsCall<DiscoveryRequest>) => this.accept(call, this.sotw, context),
    });
  }

  /**
   * Makes `snapshot` the one that all streams are brought to: urgent ones and, unless changes are debounced, the others
   * now, in slices; else when there is a pause.
   * @param now whether the others need not wait for a pause.
   */
  setSnapshot(snapshot: Snapshot, now = false): void {
    this.snapshots += 1;
    this.newest = { snapshot, epoch: epochOf(snapshot.version, this.snapshots) };
    if (this.debouncer === undefined || this.settled === undefined) {
      this.settle();
    } else {
      this.queue.add([...this.connections].filter(({ node }) => this.isUrgent(node)));
      if (now) this.debouncer.flush();
      else this.debouncer.touch();
    }
  }

  private settle(): void {
    this.settled = this.newest;
    this.queue.add(this.connections);
  }

  private isUrgent(node: PeerNode | undefined): boolean {
    return node !== undefined && this.options.isUrgent?.(node) === true;
  }

  /** How many streams have told their node. */
  get size(): number {
    let count = 0;
    for (const { node, stream } of this.connections)
      if (node !== undefined && stream !== undefined) count += 1;
    return count;
  }

  /** Whether there are as many streams as there may be. */
  get isFull(): boolean {
    return this.calls.size >= this.context.limits.streams;
  }

  /** Every stream that has told its node, sorted by name. */
  nodes(): NodeStatus[] {
    return [...this.connections]
      .flatMap((connection) => statusOf(connection) ?? [])
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Every stream that has told its node, with all that can be looked at; in no order. */
  views(): ConnectionView[] {
    return [...this.connections].flatMap(
      (connection) => viewOfConnection(connection, (node) => this.stateOf(node)) ?? [],
    );
  }

  /** What is pushed now, as clients are told it in the form "time"; "" before the first snapshot. */
  get pushVersion(): string {
    return this.settled?.epoch.time ?? "";
  }

  /** Ends a stream with UNAVAILABLE. @param number of its view */
  disconnect(number: number): void {
    const found = [...this.connections].find((connection) => connection.number === number);
    found?.end(Refusal.goingAway());
  }

  /**
   * Ends all streams with UNAVAILABLE, and every later one, so that clients come again elsewhere or later. A client
   * that does not read what it was sent holds its stream open until the gRPC server is shut down by force.
   */
  close(): void {
    this.closed = true;
    this.queue.clear();
    this.debouncer?.cancel();
    for (const connection of this.connections) connection.end(Refusal.goingAway());
  }

  private stateOf(node: PeerNode | undefined): State | undefined {
    const current = this.isUrgent(node) ? this.newest : this.settled;
    if (current === undefined) return undefined;
    const { snapshot, epoch } = current;
    const view = this.options.viewOf?.(node, snapshot) ?? this.nodeViews.viewOf(node?.name ?? "", snapshot);
    return { epoch, view };
  }

  private accept<Message>(call: AdsCall<Message>, speech: Speech<Message>, context: ConnectionContext): void {
    this.calls.add(call);
    call.on("cancelled", () => this.calls.delete(call));
    const turn = this.turnOf(call);
    const follow = (): void => {
      this.accepted += 1;
      this.connections.add(new Connection(this.accepted, call, speech, context));
    };
    if (turn === 0) follow();
    else if (turn !== undefined) void this.followLater(turn, call, follow);
  }

  private async followLater(afterMs: number, call: AdsCall, follow: () => void): Promise<void> {
    await sleep(afterMs);
    if (this.closed) endCall(call, Refusal.goingAway());
    else if (!call.cancelled) follow();
  }

  /** In how many ms a call is served; one that will not be is told why. */
  private turnOf(call: AdsCall): number | undefined {
    const { streams, streamsPerSecond } = this.context.limits;
    if (this.closed) {
      endCall(call, Refusal.goingAway());
      return undefined;
    }
    if (this.options.refusesUntilReady === true && this.newest === undefined)
      return this.turnAway(call, Refusal.notReady());
    if (this.calls.size > streams && !this.dropOldestSilent())
      return this.turnAway(call, Refusal.full(`${streams} streams are open already`));
    const turn = this.rate.turn();
    if (turn !== undefined) return turn;
    return this.turnAway(call, Refusal.overLimit(`more than ${streamsPerSecond} new streams a second`));
  }

  private turnAway(call: AdsCall, reason: Refusal): undefined {
    const peer = call.getPeer();
    endCall(call, reason);
    this.options.onEvent?.(refusedEvent("", peer, reason));
    return undefined;
  }

  private dropOldestSilent(): boolean {
    const { streams } = this.context.limits;
    for (const connection of this.connections) {
      if (!connection.isSilent) continue;
      connection.refuse(Refusal.full(`no request yet, and ${streams} streams are open`));
      return true;
    }
    return false;
  }
}
