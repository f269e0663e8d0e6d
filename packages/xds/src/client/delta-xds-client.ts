import { create } from "@bufbuild/protobuf";
import { NodeSchema } from "@envoyproxy/xds-protos/envoy/config/core/v3/base_pb.js";
import {
  type DeltaDiscoveryRequest,
  DeltaDiscoveryRequestSchema,
  type DeltaDiscoveryResponse,
} from "@envoyproxy/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import { StatusSchema } from "@envoyproxy/xds-protos/google/rpc/status_pb.js";
import * as grpc from "@grpc/grpc-js";
import { deltaAds, keepalive } from "../service.ts";
import { Backoff } from "./backoff.ts";

export interface DeltaUpdate {
  readonly typeUrl: string;
  /** system_version_info of the response. */
  readonly systemVersion: string;
  readonly added: readonly { readonly name: string; readonly version: string; readonly body: Uint8Array }[];
  readonly removed: readonly string[];
}

export interface ClientState {
  readonly connected: boolean;
  /** Why not connected. */
  readonly error?: string;
}

export interface DeltaXdsClientOptions {
  /** host:port, or any target that gRPC takes. */
  readonly address: string;
  readonly credentials: grpc.ChannelCredentials;
  readonly node: { readonly id: string; readonly metadata: Readonly<Record<string, string>> };
  /** Subscribed to as wildcards, in this order. */
  readonly typeUrls: readonly string[];
  /** Resource name → version that is held; asked whenever a stream opens. */
  readonly initialResourceVersions?: (typeUrl: string) => Record<string, string>;
  /**
   * Resolves when the update is held, which acks it; rejects if it cannot be, which nacks it with the error's
   * message. Never called while an earlier call is under way.
   */
  readonly onUpdate: (update: DeltaUpdate) => Promise<void>;
  readonly onState?: (state: ClientState) => void;
  /** A rejected update is asked for again on a new stream after this time; default 30,000 ms. */
  readonly retryRejectedMs?: number;
  readonly backoff?: Backoff;
}

type Stream = grpc.ClientDuplexStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse>;

/** Longest text of a nack, in characters; it travels in an HTTP/2 frame and is kept by the server. */
const nackTextLength = 4_096;
const maximumResponseBytes = 256 * 1024 * 1024;

/** Follows a delta ADS server until closed: reconnects by itself, and says each time what is held already. */
export class DeltaXdsClient {
  private readonly options: DeltaXdsClientOptions;
  private readonly client: grpc.Client;
  private readonly backoff: Backoff;
  private stream: Stream | undefined;
  private retry: NodeJS.Timeout | undefined;
  private wake: (() => void) | undefined;
  private closed = false;
  private following: Promise<void> | undefined;

  constructor(options: DeltaXdsClientOptions) {
    this.options = options;
    this.backoff = options.backoff ?? new Backoff(250, 15_000);
    this.client = new grpc.Client(options.address, options.credentials, {
      ...keepalive,
      "grpc.max_receive_message_length": maximumResponseBytes,
      // This class does the waiting, so that a server that comes back is found within its own bounds.
      "grpc.initial_reconnect_backoff_ms": 100,
      "grpc.max_reconnect_backoff_ms": 1_000,
    });
  }

  start(): void {
    this.following ??= this.follow();
  }

  /** Resolves when no update is being handled any more. */
  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.retry);
    this.wake?.();
    this.stream?.cancel();
    await this.following;
    this.client.close();
  }

  private async follow(): Promise<void> {
    while (!this.closed) {
      const error = await this.followOneStream().then(
        () => "the server ended the stream",
        (reason: Error) => reason.message,
      );
      clearTimeout(this.retry);
      this.retry = undefined;
      if (this.closed) return;
      this.options.onState?.({ connected: false, error });
      await this.sleep(this.backoff.next());
    }
  }

  private async followOneStream(): Promise<void> {
    const { path, requestSerialize, responseDeserialize } = deltaAds.deltaAggregatedResources;
    const stream = this.client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    this.stream = stream;
    this.subscribe(stream);
    for await (const response of stream as AsyncIterable<DeltaDiscoveryResponse>) {
      this.backoff.reset();
      this.options.onState?.({ connected: true });
      await this.handle(stream, response);
      if (this.closed) return;
    }
  }

  private subscribe(stream: Stream): void {
    const { node, typeUrls, initialResourceVersions } = this.options;
    typeUrls.forEach((typeUrl, index) => {
      stream.write(
        create(DeltaDiscoveryRequestSchema, {
          ...(index === 0 ? { node: create(NodeSchema, { id: node.id, metadata: { ...node.metadata } }) } : {}),
          typeUrl,
          resourceNamesSubscribe: ["*"],
          initialResourceVersions: initialResourceVersions?.(typeUrl) ?? {},
        }),
      );
    });
  }

  private async handle(stream: Stream, response: DeltaDiscoveryResponse): Promise<void> {
    const { typeUrl, nonce } = response;
    const reason = await this.options.onUpdate(updateOf(response)).then(
      () => undefined,
      (error: Error) => error.message || "rejected without a reason",
    );
    if (reason !== undefined) this.retryLater(stream);
    stream.write(
      create(DeltaDiscoveryRequestSchema, {
        typeUrl,
        responseNonce: nonce,
        ...(reason === undefined
          ? {}
          : {
              errorDetail: create(StatusSchema, {
                code: grpc.status.INVALID_ARGUMENT,
                message: reason.slice(0, nackTextLength),
              }),
            }),
      }),
    );
  }

  /** The cause may be passing (no memory for a map, say), and a server sends a rejected version only once per stream. */
  private retryLater(stream: Stream): void {
    this.retry ??= setTimeout(() => stream.cancel(), this.options.retryRejectedMs ?? 30_000);
  }

  private sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function updateOf(response: DeltaDiscoveryResponse): DeltaUpdate {
  return {
    typeUrl: response.typeUrl,
    systemVersion: response.systemVersionInfo,
    added: response.resources.map(({ name, version, resource }) => ({
      name,
      version,
      body: resource?.value ?? new Uint8Array(),
    })),
    removed: response.removedResources,
  };
}
