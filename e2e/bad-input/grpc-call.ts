import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { DeltaDiscoveryRequestSchema } from "@envoyproxy/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import { grpcMessage } from "./http2-frames.ts";

export const deltaAdsPath = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources";
export const clusterType = "type.googleapis.com/envoy.config.cluster.v3.Cluster";

/** How a call ended, as its caller sees it. */
export interface Ending {
  /** grpc-status; undefined if the stream ended without one. */
  readonly code: number | undefined;
  readonly message: string;
}

/** A connection of HTTP/2, in the clear or with TLS without looking at the server's certificate. */
export function openSession(port: number, secure = false): ClientHttp2Session {
  const session = connect(`${secure ? "https" : "http"}://127.0.0.1:${port}`, {
    rejectUnauthorized: false,
    maxSessionMemory: 1_000,
  });
  session.on("error", () => undefined);
  return session;
}

/** A gRPC call of which everything can be wrong. */
export class GrpcCall {
  readonly ended: Promise<Ending>;
  private readonly stream: ClientHttp2Stream;

  /** @param reads whether it reads what it is sent */
  constructor(session: ClientHttp2Session, path: string, headers: Record<string, string> = {}, reads = true) {
    this.stream = session.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
      ...headers,
    });
    let ending: Ending = { code: undefined, message: "" };
    const take = (fields: NodeJS.Dict<string | string[]>): void => {
      const status = fields["grpc-status"];
      if (status === undefined) return;
      ending = { code: Number(status), message: decodeURIComponent(String(fields["grpc-message"] ?? "")) };
      // Whatever is not sent yet is in vain.
      this.stream.close();
    };
    this.stream.on("response", take).on("trailers", take);
    this.stream.on("error", (error) => {
      ending = ending.code === undefined ? { code: undefined, message: error.message } : ending;
    });
    if (reads) this.stream.resume();
    this.ended = new Promise((resolve) => this.stream.once("close", () => resolve(ending)));
  }

  send(bytes: Uint8Array): void {
    this.sendRaw(grpcMessage(bytes));
  }

  sendRaw(bytes: Uint8Array): void {
    if (!this.stream.closed) this.stream.write(bytes);
  }

  request(fields: MessageInitShape<typeof DeltaDiscoveryRequestSchema>): void {
    this.send(toBinary(DeltaDiscoveryRequestSchema, create(DeltaDiscoveryRequestSchema, fields)));
  }

  end(): void {
    this.stream.end();
  }
}
