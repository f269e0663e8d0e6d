import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  DeltaDiscoveryRequestSchema,
  type DeltaDiscoveryResponse,
} from "@envoyproxy/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import * as grpc from "@grpc/grpc-js";
import { deltaAds } from "../service.ts";
import { summary } from "./summary.ts";

export type RequestFields = MessageInitShape<typeof DeltaDiscoveryRequestSchema>;

/** A connection to a delta ADS server whose every request is said by hand: it acks nothing by itself. */
export class RawDeltaClient implements Disposable {
  private readonly client: grpc.Client;

  constructor(address: string, options: grpc.ClientOptions = {}) {
    this.client = new grpc.Client(address, grpc.credentials.createInsecure(), {
      // A connection of its own, whatever others connect to the same server.
      "grpc.use_local_subchannel_pool": 1,
      "grpc.max_receive_message_length": -1,
      ...options,
    });
  }

  open(): RawDeltaStream {
    const { path, responseDeserialize } = deltaAds.deltaAggregatedResources;
    return new RawDeltaStream(
      this.client.makeBidiStreamRequest(path, (bytes: Buffer) => bytes, responseDeserialize),
    );
  }

  [Symbol.dispose](): void {
    this.client.close();
  }
}

export class RawDeltaStream {
  /** How the stream ended. */
  readonly ended: Promise<grpc.StatusObject>;
  private readonly call: grpc.ClientDuplexStream<Buffer, DeltaDiscoveryResponse>;
  private readonly arrived: DeltaDiscoveryResponse[] = [];
  private readonly waiting: PromiseWithResolvers<DeltaDiscoveryResponse>[] = [];
  private reading = false;
  private probes = 0;

  constructor(call: grpc.ClientDuplexStream<Buffer, DeltaDiscoveryResponse>) {
    this.call = call;
    this.ended = new Promise((resolve) => call.once("status", resolve));
    // The status says the same, also of streams that end well.
    call.on("error", () => undefined);
    call.once("status", ({ code, details }) => {
      const reason = new Error(`the stream ended: ${grpc.status[code]}: ${details}`);
      for (const { reject } of this.waiting.splice(0)) reject(reason);
    });
  }

  send(fields: RequestFields): void {
    this.sendBytes(toBinary(DeltaDiscoveryRequestSchema, create(DeltaDiscoveryRequestSchema, fields)));
  }

  sendBytes(bytes: Uint8Array): void {
    this.call.write(Buffer.from(bytes));
  }

  /** The next response, in the order of arrival. The stream is read from the first call on. */
  next(): Promise<DeltaDiscoveryResponse> {
    this.read();
    const response = this.arrived.shift();
    if (response !== undefined) return Promise.resolve(response);
    const waiting = Promise.withResolvers<DeltaDiscoveryResponse>();
    this.waiting.push(waiting);
    return waiting.promise;
  }

  ack({ typeUrl, nonce }: DeltaDiscoveryResponse, fields: RequestFields = {}): void {
    this.send({ ...fields, typeUrl, responseNonce: nonce });
  }

  nack(response: DeltaDiscoveryResponse, message: string): void {
    this.ack(response, { errorDetail: { code: grpc.status.INVALID_ARGUMENT, message } });
  }

  /** The next response, acked. */
  async take(): Promise<DeltaDiscoveryResponse> {
    const response = await this.next();
    this.ack(response);
    return response;
  }

  /**
   * Resolves when the server has read all that was sent on this stream. Nothing may be unanswered before.
   * @throws Error, if the server had anything to say.
   */
  async quiet(): Promise<void> {
    this.probes += 1;
    const typeUrl = `type.test/Probe${this.probes}`;
    this.send({ typeUrl });
    const response = await this.take();
    if (response.typeUrl !== typeUrl) throw new Error(`not quiet: ${JSON.stringify(summary(response))}`);
  }

  end(): void {
    this.call.end();
  }

  cancel(): void {
    this.call.cancel();
  }

  private read(): void {
    if (this.reading) return;
    this.reading = true;
    this.call.on("data", (response: DeltaDiscoveryResponse) => {
      const waiting = this.waiting.shift();
      if (waiting === undefined) this.arrived.push(response);
      else waiting.resolve(response);
    });
  }
}
