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
import { sotwCodec, sotwRequest } from "./sotw-codec.ts";
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
  /** Answers requests of types that no snapshot has; none if left out. */
  readonly onDemand?: OnDemand;
  /** Keys of the nodes' metadata to keep; none but NODE_NAME if left out. */
  readonly keptMetadata?: readonly string[];
  /** Refuses streams before the first snapshot with UNAVAILABLE; else they wait. */
  readonly refusesUntilReady?: boolean;
  readonly onEvent?: (event: XdsEvent) => void;
  readonly limits?: Partial<ServerLimits>;
}

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
  private current: { readonly snapshot: Snapshot; readonly epoch: Epoch } | undefined;
  private snapshots = 0;
  /** How many streams there have been. */
  private accepted = 0;
  private closed = false;

  constructor(options: XdsServerOptions<Snapshot>) {
    this.options = options;
    const limits = { ...defaultLimits, ...options.limits };
    this.queue = new PushQueue((connection) => connection.onNews(), limits.pushSlice);
    this.delta = { codec: deltaCodec(this.encoder), read: deltaRequest };
    this.sotw = { codec: sotwCodec(this.encoder), read: sotwRequest };
    this.context = {
      types: new TypeRules(options.types),
      limits,
      keptMetadata: options.keptMetadata ?? [nodeNameMetadata],
      newest: (node) => this.stateOf(node),
      onDemand: options.onDemand ?? nothingOnDemand,
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

  /** Makes `snapshot` the one that all streams are brought to, some of them now and the others soon. */
  setSnapshot(snapshot: Snapshot): void {
    this.snapshots += 1;
    this.current = { snapshot, epoch: epochOf(snapshot.version, this.snapshots) };
    this.queue.add(this.connections);
  }

  /** How many streams have told their node. */
  get size(): number {
    let count = 0;
    for (const { node, stream } of this.connections)
      if (node !== undefined && stream !== undefined) count += 1;
    return count;
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

  /** Of the newest snapshot, as clients are told it in the form "time"; "" before the first. */
  get pushVersion(): string {
    return this.current?.epoch.time ?? "";
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
    for (const connection of this.connections) connection.end(Refusal.goingAway());
  }

  private stateOf(node: PeerNode | undefined): State | undefined {
    if (this.current === undefined) return undefined;
    const { snapshot, epoch } = this.current;
    const view = this.options.viewOf?.(node, snapshot) ?? this.nodeViews.viewOf(node?.name ?? "", snapshot);
    return { epoch, view };
  }

  private accept<Message>(call: AdsCall<Message>, speech: Speech<Message>, context: ConnectionContext): void {
    this.calls.add(call);
    call.on("cancelled", () => this.calls.delete(call));
    const { streams } = this.context.limits;
    if (this.closed) endCall(call, Refusal.goingAway());
    else if (this.options.refusesUntilReady === true && this.current === undefined)
      this.turnAway(call, Refusal.notReady());
    else if (this.calls.size > streams && !this.dropOldestSilent())
      this.turnAway(call, Refusal.overLimit(`${streams} streams are open already`));
    else {
      this.accepted += 1;
      this.connections.add(new Connection(this.accepted, call, speech, context));
    }
  }

  private turnAway(call: AdsCall, reason: Refusal): void {
    const peer = call.getPeer();
    endCall(call, reason);
    this.options.onEvent?.({ kind: "refused", node: "", peer, reason: reason.message });
  }

  private dropOldestSilent(): boolean {
    const { streams } = this.context.limits;
    for (const connection of this.connections) {
      if (!connection.isSilent) continue;
      connection.refuse(Refusal.overLimit(`no request yet, and ${streams} streams are open`));
      return true;
    }
    return false;
  }
}
