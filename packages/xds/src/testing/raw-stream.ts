import * as grpc from "@grpc/grpc-js";

/** A connection of its own to a server, whatever others connect to the same. */
export function rawClient(address: string, options: grpc.ClientOptions = {}): grpc.Client {
  return new grpc.Client(address, grpc.credentials.createInsecure(), {
    "grpc.use_local_subchannel_pool": 1,
    "grpc.max_receive_message_length": -1,
    ...options,
  });
}

/** A stream whose every request is said by hand: it answers nothing by itself. */
export class RawStream<Response> {
  /** How the stream ended. */
  readonly ended: Promise<grpc.StatusObject>;
  private readonly call: grpc.ClientDuplexStream<Buffer, Response>;
  private readonly arrived: Response[] = [];
  private readonly waiting: PromiseWithResolvers<Response>[] = [];
  private reading = false;

  constructor(call: grpc.ClientDuplexStream<Buffer, Response>) {
    this.call = call;
    this.ended = new Promise((resolve) => call.once("status", resolve));
    // The status says the same, also of streams that end well.
    call.on("error", () => undefined);
    call.once("status", ({ code, details }) => {
      const reason = new Error(`the stream ended: ${grpc.status[code]}: ${details}`);
      for (const { reject } of this.waiting.splice(0)) reject(reason);
    });
  }

  sendBytes(bytes: Uint8Array): void {
    this.call.write(Buffer.from(bytes));
  }

  /** The next response, in the order of arrival. The stream is read from the first call on. */
  next(): Promise<Response> {
    this.read();
    const response = this.arrived.shift();
    if (response !== undefined) return Promise.resolve(response);
    const waiting = Promise.withResolvers<Response>();
    this.waiting.push(waiting);
    return waiting.promise;
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
    this.call.on("data", (response: Response) => {
      const waiting = this.waiting.shift();
      if (waiting === undefined) this.arrived.push(response);
      else waiting.resolve(response);
    });
  }
}
