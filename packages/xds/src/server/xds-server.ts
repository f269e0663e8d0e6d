import type { DeltaDiscoveryRequest } from "@envoyproxy/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import type * as grpc from "@grpc/grpc-js";
import type { ResourceSnapshot } from "@keelson/protos";
import { deltaAds, MalformedRequest } from "../service.ts";
import { DeltaStream } from "./delta-stream.ts";
import { ResourceEncoder } from "./encoding.ts";
import type { XdsEvent } from "./events.ts";
import { defaultLimits, type ServerLimits } from "./limits.ts";
import { Refusal } from "./refusal.ts";
import type { Rejection } from "./subscription.ts";

export interface XdsServerOptions {
  /** Types in the order of reference: what is referred to first. Types not named here come last. */
  readonly typeOrder: readonly string[];
  readonly onEvent?: (event: XdsEvent) => void;
  readonly limits?: Partial<ServerLimits>;
}

export interface TypeStatus {
  /** system_version_info of the last response sent, "" before the first. */
  readonly sentVersion: string;
  /** The same of the last response acked. */
  readonly ackedVersion: string;
  /** The last nack, until all that was rejected has been replaced or removed, and that was acked. */
  readonly rejection?: Rejection;
}

export interface NodeStatus {
  readonly id: string;
  readonly name: string;
  readonly peer: string;
  readonly connectedAt: Date;
  /** Since when a push waits for its answers; undefined: none does. */
  readonly pendingSince?: Date;
  readonly types: Readonly<Record<string, TypeStatus>>;
}

type Incoming = DeltaDiscoveryRequest | MalformedRequest;
type Call = grpc.ServerDuplexStream<Incoming, Buffer>;

interface OpenStream {
  readonly call: Call;
  readonly peer: string;
  /** Runs out if the peer says nothing; undefined since its first request. */
  patience: NodeJS.Timeout | undefined;
}

/**
 * Serves snapshots of resources over delta ADS; knows nothing of what the resources mean. Until the first snapshot is
 * set, streams wait: an empty answer would tell nodes to drop what they hold.
 */
export class XdsServer {
  readonly encoder = new ResourceEncoder();
  private readonly options: XdsServerOptions;
  private readonly limits: ServerLimits;
  private readonly streams = new Map<DeltaStream, OpenStream>();
  /** Calls that gRPC still holds: a refused peer that does not read keeps what is queued for it. */
  private readonly calls = new Set<Call>();
  private snapshot: ResourceSnapshot | undefined;
  private closed = false;

  constructor(options: XdsServerOptions) {
    this.options = options;
    this.limits = { ...defaultLimits, ...options.limits };
  }

  register(server: grpc.Server): void {
    server.addService(deltaAds, { deltaAggregatedResources: (call: Call) => this.accept(call) });
  }

  /** Makes `snapshot` the one that all streams are brought to. */
  setSnapshot(snapshot: ResourceSnapshot): void {
    this.snapshot = snapshot;
    for (const stream of this.streams.keys()) this.attempt(stream, () => stream.onSnapshot());
  }

  /** Every stream that has told its node, sorted by name. */
  nodes(): NodeStatus[] {
    return [...this.streams]
      .filter(([stream]) => stream.node !== undefined)
      .map(([stream, { peer }]) => statusOf(stream, peer))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /**
   * Ends all streams with UNAVAILABLE, and every later one, so that clients come again elsewhere or later. A client
   * that does not read what it was sent holds its stream open until the gRPC server is shut down by force.
   */
  close(): void {
    this.closed = true;
    for (const [stream, { call }] of this.streams) {
      this.drop(stream);
      end(call, Refusal.goingAway());
    }
  }

  private accept(call: Call): void {
    this.calls.add(call);
    call.on("cancelled", () => this.calls.delete(call));
    const peer = call.getPeer();
    if (this.closed) {
      end(call, Refusal.goingAway());
    } else if (this.calls.size > this.limits.streams && !this.dropOldestSilent()) {
      this.refuse(call, "", peer, Refusal.overLimit(`${this.limits.streams} streams are open already`));
    } else {
      this.follow(call, peer);
    }
  }

  private follow(call: Call, peer: string): void {
    const stream = new DeltaStream({
      typeOrder: this.options.typeOrder,
      limits: this.limits,
      encoder: this.encoder,
      snapshot: () => this.snapshot,
      send: (response) => call.write(response),
      onEvent: (event) => this.options.onEvent?.(event),
      peer,
    });
    const patience = setTimeout(() => this.dropSilent(stream), this.limits.firstRequestMs);
    this.streams.set(stream, { call, peer, patience });
    call.on("data", (request: Incoming) => this.attempt(stream, () => this.onRequest(stream, request)));
    call.on("end", () => {
      this.drop(stream);
      call.end();
    });
    call.on("cancelled", () => this.drop(stream));
    call.on("error", () => this.drop(stream));
  }

  private onRequest(stream: DeltaStream, request: Incoming): void {
    const open = this.streams.get(stream);
    if (open === undefined) return;
    clearTimeout(open.patience);
    open.patience = undefined;
    if (request instanceof MalformedRequest) throw Refusal.malformed(request.reason);
    stream.onRequest(request);
  }

  /** What goes wrong on one stream ends that stream and no other. */
  private attempt(stream: DeltaStream, action: () => void): void {
    try {
      action();
    } catch (error) {
      this.refuseStream(stream, error instanceof Refusal ? error : Refusal.internal(error));
    }
  }

  private dropOldestSilent(): boolean {
    for (const [stream, { patience }] of this.streams) {
      if (patience === undefined) continue;
      this.refuseStream(
        stream,
        Refusal.overLimit(`no request yet, and ${this.limits.streams} streams are open`),
      );
      return true;
    }
    return false;
  }

  private dropSilent(stream: DeltaStream): void {
    this.refuseStream(stream, Refusal.tooLate(`no request within ${this.limits.firstRequestMs} ms`));
  }

  private refuseStream(stream: DeltaStream, reason: Refusal): void {
    const open = this.streams.get(stream);
    if (open === undefined) return;
    this.drop(stream);
    this.refuse(open.call, stream.label, open.peer, reason);
  }

  private refuse(call: Call, node: string, peer: string, reason: Refusal): void {
    end(call, reason);
    this.options.onEvent?.({ kind: "refused", node, peer, reason: reason.message });
  }

  private drop(stream: DeltaStream): void {
    const open = this.streams.get(stream);
    if (open === undefined) return;
    this.streams.delete(stream);
    clearTimeout(open.patience);
    if (stream.node === undefined) return;
    this.options.onEvent?.({ kind: "disconnected", node: stream.label, peer: open.peer });
  }
}

/** gRPC takes a status from a call's error. */
function end(call: Call, { code, message }: Refusal): void {
  call.emit("error", { code, details: message });
}

function statusOf(stream: DeltaStream, peer: string): NodeStatus {
  const types: Record<string, TypeStatus> = {};
  for (const [typeUrl, { sentVersion, ackedVersion, rejection }] of stream.subscriptions) {
    types[typeUrl] = { sentVersion, ackedVersion, ...(rejection === undefined ? {} : { rejection }) };
  }
  return {
    id: stream.node?.id ?? "",
    name: stream.node?.name ?? "",
    peer,
    connectedAt: stream.connectedAt,
    ...(stream.pendingSince === undefined ? {} : { pendingSince: stream.pendingSince }),
    types,
  };
}
