import { type ClientHttp2Session, connect } from "node:http2";
import { onTestFinished } from "vitest";

/** How a call ended: its grpc-status and message, or undefined and what HTTP/2 said. */
export interface Ending {
  readonly code: number | undefined;
  readonly message: string;
}

/** A gRPC call made by hand: of its messages only a part need be sent, and none of the answers be read. */
export interface RawCall {
  readonly ended: Promise<Ending>;
  write(bytes: Uint8Array): void;
}

/** A connection that is closed with the test. */
export function rawSession(port: number): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on("error", () => undefined);
  onTestFinished(() => session.destroy());
  return session;
}

/** @param options.reads whether what the server sends is read */
export function rawCall(
  session: ClientHttp2Session,
  path: string,
  { headers = {}, reads = true }: { headers?: Record<string, string>; reads?: boolean } = {},
): RawCall {
  const common = { ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers" };
  const stream = session.request({ ...common, ...headers });
  let ending: Ending = { code: undefined, message: "" };
  const take = (fields: NodeJS.Dict<string | string[]>): void => {
    const status = fields["grpc-status"];
    if (status === undefined) return;
    ending = { code: Number(status), message: decodeURIComponent(String(fields["grpc-message"])) };
  };
  stream.on("response", take).on("trailers", take);
  stream.on("error", ({ message }) => {
    if (ending.code === undefined) ending = { code: undefined, message };
  });
  if (reads) stream.resume();
  return {
    ended: new Promise((resolve) => stream.once("close", () => resolve(ending))),
    write: (bytes) => void stream.write(bytes),
  };
}

/** A message as gRPC frames it. @param told its length, which need not be true */
export function framed(bytes: Uint8Array, told = bytes.length): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(told, 1);
  return Buffer.concat([prefix, bytes]);
}
