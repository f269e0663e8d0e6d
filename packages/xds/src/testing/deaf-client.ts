import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { DeltaDiscoveryRequestSchema } from "@envoyproxy/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import { deltaAds } from "../service.ts";

/** A client that sends, but reads nothing: the server's bytes pile up behind HTTP/2's flow control. */
export class DeafClient implements Disposable {
  private readonly session: ClientHttp2Session;

  constructor(address: string) {
    this.session = connect(`http://${address}`);
    this.session.on("error", () => undefined);
  }

  open(): DeafStream {
    const stream = this.session.request({
      ":method": "POST",
      ":path": deltaAds.deltaAggregatedResources.path,
      "content-type": "application/grpc",
      te: "trailers",
    });
    stream.on("error", () => undefined);
    return new DeafStream(stream);
  }

  [Symbol.dispose](): void {
    this.session.destroy();
  }
}

export class DeafStream {
  private readonly stream: ClientHttp2Stream;

  constructor(stream: ClientHttp2Stream) {
    this.stream = stream;
  }

  send(fields: MessageInitShape<typeof DeltaDiscoveryRequestSchema>): void {
    this.sendBytes(toBinary(DeltaDiscoveryRequestSchema, create(DeltaDiscoveryRequestSchema, fields)));
  }

  /** In gRPC's frame: not compressed, and the length. */
  sendBytes(bytes: Uint8Array): void {
    const head = Buffer.alloc(5);
    head.writeUInt32BE(bytes.length, 1);
    this.stream.write(Buffer.concat([head, bytes]));
  }

  end(): void {
    this.stream.end();
  }
}
