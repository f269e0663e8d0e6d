import { create } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import type { WantedRequests } from "@keelson/model/observation";
import { grpcMethod } from "@keelson/protos";
import {
  type Observation,
  type ObserveRequestsRequest,
  ObserveRequestsRequestSchema,
  type ObserveRequestsResponse,
  TelemetryService,
} from "@keelson/protos/telemetry";
import { reconnection } from "../reconnection.ts";
import type { RequestSink } from "./request-observer.ts";

const { path, requestSerialize, responseDeserialize } = grpcMethod(TelemetryService.method.observeRequests);

/** Until the next attempt: doubled with each that fails. A control plane that does not know the method is asked rarely. */
const firstPauseMs = 1_000;
const longestPauseMs = 60_000;

type Stream = grpc.ClientDuplexStream<ObserveRequestsRequest, ObserveRequestsResponse>;

export interface ObservationStreamOptions {
  readonly node: string;
  /** The control plane's. */
  readonly address: string;
  readonly credentials: grpc.ChannelCredentials;
  /** @returns ends it */
  readonly observe: (wanted: WantedRequests, sink: RequestSink) => () => void;
}

/** Shows the control plane those requests that somebody wants to see there. Nothing waits for it: what it does not read is lost. */
export class ObservationStream {
  private readonly options: ObservationStreamOptions;
  private readonly client: grpc.Client;
  private stream: Stream | undefined;
  /** By the observation's id. */
  private readonly running = new Map<number, () => void>();
  private timer: NodeJS.Timeout | undefined;
  private pauseMs = firstPauseMs;
  private closed = false;

  constructor(options: ObservationStreamOptions) {
    this.options = options;
    this.client = new grpc.Client(options.address, options.credentials, reconnection);
  }

  start(): void {
    if (this.closed) return;
    const stream: Stream = this.client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    this.stream = stream;
    stream.on("data", ({ observations }: ObserveRequestsResponse) => {
      this.pauseMs = firstPauseMs;
      this.follow(observations, stream);
    });
    stream.on("error", () => undefined); // "status" follows
    stream.on("status", () => this.onEnd());
    stream.write(create(ObserveRequestsRequestSchema, { node: this.options.node }));
  }

  /** The control plane was found again: the next attempt need not wait any more. */
  tryNow(): void {
    if (this.stream !== undefined || this.timer === undefined) return;
    clearTimeout(this.timer);
    this.pauseMs = firstPauseMs;
    this.start();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    this.follow([], undefined);
    this.stream?.cancel();
    this.client.close();
  }

  private onEnd(): void {
    this.follow([], undefined);
    this.stream = undefined;
    if (this.closed) return;
    this.timer = setTimeout(() => this.start(), this.pauseMs);
    this.pauseMs = Math.min(this.pauseMs * 2, longestPauseMs);
  }

  /** Starts those that are new, and ends those that are gone. */
  private follow(observations: readonly Observation[], stream: Stream | undefined): void {
    const wanted = new Set(observations.map(({ id }) => id));
    for (const [id, end] of this.running) {
      if (wanted.has(id)) continue;
      end();
      this.running.delete(id);
    }
    for (const observation of observations) {
      const { id, every } = observation;
      if (this.running.has(id) || stream === undefined) continue;
      this.running.set(
        id,
        this.options.observe({ ...observation, every: Math.max(1, every) }, sinkTo(stream, id)),
      );
    }
  }
}

function sinkTo(stream: Stream, observation: number): RequestSink {
  let missed = 0;
  return (requests, lost) => {
    missed += lost;
    if (stream.writableNeedDrain) {
      missed += requests.length;
      return;
    }
    const message = { observation, requests: [...requests], lost: BigInt(missed) };
    stream.write(create(ObserveRequestsRequestSchema, message));
    missed = 0;
  };
}
