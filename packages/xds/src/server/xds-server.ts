import type { DeltaDiscoveryRequest } from "@envoyproxy/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import * as grpc from "@grpc/grpc-js";
import type { ResourceSnapshot } from "@keelson/protos";
import { deltaAds } from "../service.ts";
import { DeltaStream } from "./delta-stream.ts";
import { ResourceEncoder } from "./encoding.ts";
import type { XdsEvent } from "./events.ts";
import { defaultLimits, LimitError, type ServerLimits } from "./limits.ts";
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
  /** The last nack, until the next ack of the type. */
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

type Call = grpc.ServerDuplexStream<DeltaDiscoveryRequest, Buffer>;

const nothing: ResourceSnapshot = { version: 0n, resources: new Map() };

/** Serves snapshots of resources over delta ADS; knows nothing of what the resources mean. */
export class XdsServer {
  readonly encoder = new ResourceEncoder();
  private readonly options: XdsServerOptions;
  private readonly limits: ServerLimits;
  private readonly streams = new Map<DeltaStream, Call>();
  private snapshot = nothing;

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
    for (const stream of this.streams.keys()) stream.push();
  }

  /** Every stream that has told its node, sorted by name. */
  nodes(): NodeStatus[] {
    return [...this.streams]
      .filter(([stream]) => stream.node !== undefined)
      .map(([stream, call]) => statusOf(stream, call.getPeer()))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Ends all streams with UNAVAILABLE, so that clients come again elsewhere or later. */
  close(): void {
    for (const call of this.streams.values()) {
      call.emit("error", { code: grpc.status.UNAVAILABLE, details: "the control plane is going away" });
    }
    this.streams.clear();
  }

  private accept(call: Call): void {
    const peer = call.getPeer();
    if (this.streams.size >= this.limits.streams) {
      this.refuse(call, "", new LimitError(`${this.limits.streams} streams are open already`));
      return;
    }
    const stream = new DeltaStream({
      typeOrder: this.options.typeOrder,
      limits: this.limits,
      encoder: this.encoder,
      snapshot: () => this.snapshot,
      send: (response) => call.write(response),
      onEvent: (event) => this.options.onEvent?.(event),
      peer,
    });
    this.streams.set(stream, call);
    call.on("data", (request: DeltaDiscoveryRequest) => {
      if (!this.streams.has(stream)) return;
      try {
        stream.onRequest(request);
      } catch (error) {
        this.drop(stream);
        this.refuse(call, stream.label, error as Error);
      }
    });
    call.on("end", () => {
      this.drop(stream);
      call.end();
    });
    call.on("cancelled", () => this.drop(stream));
    call.on("error", () => this.drop(stream));
  }

  private drop(stream: DeltaStream): void {
    const call = this.streams.get(stream);
    if (call === undefined) return;
    this.streams.delete(stream);
    if (stream.node === undefined) return;
    this.options.onEvent?.({ kind: "disconnected", node: stream.label, peer: call.getPeer() });
  }

  private refuse(call: Call, node: string, error: Error): void {
    const code = error instanceof LimitError ? grpc.status.RESOURCE_EXHAUSTED : grpc.status.INTERNAL;
    call.emit("error", { code, details: error.message });
    this.options.onEvent?.({ kind: "refused", node, peer: call.getPeer(), reason: error.message });
  }
}

function statusOf(stream: DeltaStream, peer: string): NodeStatus {
  const types: Record<string, TypeStatus> = {};
  for (const [typeUrl, { sentVersion, ackedVersion, rejection }] of stream.subscriptions) {
    types[typeUrl] = { sentVersion, ackedVersion, ...(rejection === undefined ? {} : { rejection }) };
  }
  return {
    id: stream.node?.id ?? "",
    name: stream.nodeName,
    peer,
    connectedAt: stream.connectedAt,
    ...(stream.pendingSince === undefined ? {} : { pendingSince: stream.pendingSince }),
    types,
  };
}
