import { promisify } from "node:util";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  type DeltaDiscoveryRequest,
  DeltaDiscoveryResponseSchema,
} from "@envoyproxy/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import * as grpc from "@grpc/grpc-js";
import { deltaAds } from "../service.ts";

type Fields = MessageInitShape<typeof DeltaDiscoveryResponseSchema>;
type Call = grpc.ServerDuplexStream<DeltaDiscoveryRequest, Buffer>;

/** A delta ADS server whose every response is said by hand, also those that the protocol forbids. */
export class RawDeltaServer implements Disposable {
  /** All requests of all streams, in the order of arrival. */
  readonly requests: DeltaDiscoveryRequest[] = [];
  readonly address: string;
  private readonly calls: Call[] = [];
  private readonly server: grpc.Server;

  private constructor(server: grpc.Server, port: number) {
    this.server = server;
    this.address = `127.0.0.1:${port}`;
    server.addService(deltaAds, { deltaAggregatedResources: (call: Call) => this.accept(call) });
  }

  static async start(): Promise<RawDeltaServer> {
    const server = new grpc.Server();
    const bind = promisify(server.bindAsync.bind(server));
    return new RawDeltaServer(server, await bind("127.0.0.1:0", grpc.ServerCredentials.createInsecure()));
  }

  /** How many streams there have been. */
  get streams(): number {
    return this.calls.length;
  }

  /** Sends on the newest stream. */
  send(fields: Fields): void {
    this.sendBytes(toBinary(DeltaDiscoveryResponseSchema, create(DeltaDiscoveryResponseSchema, fields)));
  }

  sendBytes(bytes: Uint8Array): void {
    this.calls.at(-1)?.write(Buffer.from(bytes));
  }

  /** Ends the newest stream with the status OK. */
  end(): void {
    this.calls.at(-1)?.end();
  }

  [Symbol.dispose](): void {
    this.server.forceShutdown();
  }

  private accept(call: Call): void {
    this.calls.push(call);
    call.on("data", (request: DeltaDiscoveryRequest) => this.requests.push(request));
    call.on("error", () => undefined);
  }
}
