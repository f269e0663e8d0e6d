import * as grpc from "@grpc/grpc-js";
import { Nonconformity } from "./nonconformity.ts";

/** How a stream ended: a gRPC status. */
export interface Ended {
  /** Such as "INVALID_ARGUMENT". */
  readonly code: string;
  readonly details: string;
}

/** A gRPC stream of bytes on a connection of its own. */
export class ByteStream implements Disposable {
  readonly ended: Promise<Ended>;
  private readonly client: grpc.Client;
  private readonly call: grpc.ClientDuplexStream<Uint8Array, Uint8Array>;
  private readonly arrived: Uint8Array[] = [];
  private readonly waiting: PromiseWithResolvers<Uint8Array>[] = [];
  private end: Ended | undefined;

  /** @param path of the gRPC method */
  constructor(address: string, path: string) {
    const options = { "grpc.use_local_subchannel_pool": 1, "grpc.max_receive_message_length": -1 };
    this.client = new grpc.Client(address, grpc.credentials.createInsecure(), options);
    const pass = (bytes: Uint8Array): Buffer => Buffer.from(bytes);
    this.call = this.client.makeBidiStreamRequest(path, pass, pass);
    this.ended = new Promise((resolve) => {
      this.call.once("status", ({ code, details }) => {
        this.end = { code: grpc.status[code], details };
        for (const { reject } of this.waiting.splice(0)) reject(endedEarly(this.end));
        resolve(this.end);
      });
    });
    // The status says the same.
    this.call.on("error", () => undefined);
    this.call.on("data", (bytes: Uint8Array) => {
      const waiting = this.waiting.shift();
      if (waiting === undefined) this.arrived.push(bytes);
      else waiting.resolve(bytes);
    });
  }

  send(bytes: Uint8Array): void {
    this.call.write(bytes);
  }

  /** The next message. @throws Nonconformity if none comes in `patienceMs`, or the stream ends before. */
  async next(patienceMs: number, what: string): Promise<Uint8Array> {
    const message = this.arrived.shift();
    if (message !== undefined) return message;
    if (this.end !== undefined) throw endedEarly(this.end);
    const waiting = Promise.withResolvers<Uint8Array>();
    this.waiting.push(waiting);
    const timer = setTimeout(() => {
      this.waiting.splice(this.waiting.indexOf(waiting), 1);
      waiting.reject(new Nonconformity(what, `nothing within ${patienceMs / 1000} s`));
    }, patienceMs);
    return waiting.promise.finally(() => clearTimeout(timer));
  }

  /** Says that no more will be sent. */
  finish(): void {
    this.call.end();
  }

  [Symbol.dispose](): void {
    this.call.cancel();
    this.client.close();
  }
}

const endedEarly = ({ code, details }: Ended): Nonconformity =>
  new Nonconformity("the stream to go on", `it ended: ${code}: ${details}`);
