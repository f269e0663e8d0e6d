import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  DeltaDiscoveryRequestSchema,
  type DeltaDiscoveryResponse,
} from "@envoyproxy/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import * as grpc from "@grpc/grpc-js";
import { deltaAds } from "../service.ts";
import { RawStream, rawClient } from "./raw-stream.ts";
import { summary } from "./summary.ts";

export type RequestFields = MessageInitShape<typeof DeltaDiscoveryRequestSchema>;

/** A connection to a delta ADS server. */
export class RawDeltaClient implements Disposable {
  private readonly client: grpc.Client;

  constructor(address: string, options: grpc.ClientOptions = {}) {
    this.client = rawClient(address, options);
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

export class RawDeltaStream extends RawStream<DeltaDiscoveryResponse> {
  private probes = 0;

  send(fields: RequestFields): void {
    this.sendBytes(toBinary(DeltaDiscoveryRequestSchema, create(DeltaDiscoveryRequestSchema, fields)));
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
}
