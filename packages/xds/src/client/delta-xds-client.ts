import { setTimeout as sleep } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { NodeSchema } from "@envoyproxy/xds-protos/envoy/config/core/v3/base_pb.js";
import {
  type DeltaDiscoveryRequest,
  DeltaDiscoveryRequestSchema,
  type DeltaDiscoveryResponse,
} from "@envoyproxy/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import { StatusSchema } from "@envoyproxy/xds-protos/google/rpc/status_pb.js";
import * as grpc from "@grpc/grpc-js";
import { messageOf } from "../message-of.ts";
import { deltaAds, keepalive } from "../service.ts";
import { Backoff } from "./backoff.ts";
import { type DeltaUpdate, updateOf } from "./updates.ts";

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
   * Resolves when the update is held, which acks it; rejects if any of it cannot be, which nacks it with the error's
   * message. What is right of it may be held all the same: a nack says nothing of that, and a new stream tells the server
   * what is. Never called while an earlier call is under way.
   */
  readonly onUpdate: (update: DeltaUpdate) => Promise<void>;
  /** Called when a stream's first response is there, and whenever a stream is lost. */
  readonly onState?: (state: ClientState) => void;
  /** A rejected update is asked for again on a new stream after this time; default 30,000 ms. */
  readonly retryRejectedMs?: number;
  readonly backoff?: Backoff;
}

type Stream = grpc.ClientDuplexStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse>;

/** Longest text of a nack, in characters; it travels in an HTTP/2 frame and is kept by the server. */
const nackTextLength = 4_096;
/** Of one response; 10,000 services with 150,000 endpoints take a tenth of it. gRPC may read a few ahead. */
const maximumResponseBytes = 64 * 1024 * 1024;
const defaultRetryRejectedMs = 30_000;

/** Follows a delta ADS server until closed: reconnects by itself, and says each time what is held already. */
export class DeltaXdsClient {
  private readonly options: DeltaXdsClientOptions;
  private readonly client: grpc.Client;
  private readonly backoff: Backoff;
  private readonly closing = new AbortController();
  private stream: Stream | undefined;
  private following: Promise<void> | undefined;

  constructor(options: DeltaXdsClientOptions) {
    this.options = options;
    this.backoff = options.backoff ?? new Backoff(250, 4_000);
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

  /** Resolves when no update is being handled any more; so it must not be awaited in `onUpdate`. */
  async close(): Promise<void> {
    this.closing.abort();
    this.stream?.cancel();
    await this.following;
    this.client.close();
  }

  private get closed(): boolean {
    return this.closing.signal.aborted;
  }

  private async follow(): Promise<void> {
    while (!this.closed) {
      const lost = await this.followOneStream();
      if (this.closed) return;
      if (lost === undefined) continue;
      this.options.onState?.({ connected: false, error: lost });
      await sleep(this.backoff.next(), undefined, { signal: this.closing.signal }).catch(() => undefined);
    }
  }

  /** @returns why there is no stream any more; undefined if it was left to ask again for what was rejected. */
  private async followOneStream(): Promise<string | undefined> {
    try {
      // Before the stream: gRPC loses sight of a call that is cancelled in the tick in which it was made.
      const requests = this.firstRequests();
      return await this.followStream(this.open(), requests);
    } catch (error) {
      return messageOf(error);
    }
  }

  private async followStream(
    stream: Stream,
    requests: readonly DeltaDiscoveryRequest[],
  ): Promise<string | undefined> {
    const retry = new Retry(() => stream.cancel(), this.options.retryRejectedMs ?? defaultRetryRejectedMs);
    let connected = false;
    try {
      for (const request of requests) stream.write(request);
      for await (const response of stream as AsyncIterable<DeltaDiscoveryResponse>) {
        if (this.closed) return undefined;
        this.backoff.reset();
        if (!connected) this.options.onState?.({ connected: true });
        connected = true;
        await this.handle(stream, retry, response);
      }
      return retry.done ? undefined : "the server ended the stream";
    } catch (error) {
      return retry.done ? undefined : messageOf(error);
    } finally {
      retry.stop();
      stream.cancel();
    }
  }

  private open(): Stream {
    const { path, requestSerialize, responseDeserialize } = deltaAds.deltaAggregatedResources;
    const stream = this.client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    // The loop over the stream reports its errors; one that comes after the loop must not end the process.
    stream.on("error", () => undefined);
    this.stream = stream;
    return stream;
  }

  /** One for each type; the first says who asks. */
  private firstRequests(): DeltaDiscoveryRequest[] {
    const { node, typeUrls, initialResourceVersions } = this.options;
    return typeUrls.map((typeUrl, index) =>
      create(DeltaDiscoveryRequestSchema, {
        ...(index === 0 ? { node: create(NodeSchema, { id: node.id, metadata: { ...node.metadata } }) } : {}),
        typeUrl,
        resourceNamesSubscribe: ["*"],
        initialResourceVersions: initialResourceVersions?.(typeUrl) ?? {},
      }),
    );
  }

  private async handle(stream: Stream, retry: Retry, response: DeltaDiscoveryResponse): Promise<void> {
    const { typeUrl, nonce } = response;
    const answer = create(DeltaDiscoveryRequestSchema, { typeUrl, responseNonce: nonce });
    try {
      await this.options.onUpdate(updateOf(response));
    } catch (error) {
      const message = messageOf(error).slice(0, nackTextLength) || "rejected without a reason";
      answer.errorDetail = create(StatusSchema, { code: grpc.status.INVALID_ARGUMENT, message });
      retry.start();
    }
    stream.write(answer);
  }
}

/** The cause of a rejection may be passing (no memory for a map, say), and a server sends a rejected version once per stream. */
class Retry {
  done = false;
  private readonly action: () => void;
  private readonly afterMs: number;
  private timer: NodeJS.Timeout | undefined;

  constructor(action: () => void, afterMs: number) {
    this.action = action;
    this.afterMs = afterMs;
  }

  start(): void {
    this.timer ??= setTimeout(() => {
      this.done = true;
      this.action();
    }, this.afterMs);
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}
