import {
  type ClientHttp2Session,
  connect,
  createServer,
  type Http2Server,
  type ServerHttp2Stream,
} from "node:http2";
import type { Server } from "node:net";
import { type RelayWorld, rawServer } from "./relay-world.ts";

export interface Http2Answer {
  readonly headers: Record<string, unknown>;
  readonly body: string;
  readonly trailers: Record<string, unknown>;
  readonly code: number | undefined;
}

/** A caller's session, which ends with the stack. */
export function session(stack: AsyncDisposableStack, world: RelayWorld): ClientHttp2Session {
  const made = connect(`http://127.0.0.1:${world.port}`);
  made.on("error", () => undefined);
  stack.defer(() => made.destroy());
  return made;
}

/** One request and what came of it, also where that is a reset. */
export async function ask(
  caller: ClientHttp2Session,
  headers: Record<string, string>,
  body?: string,
): Promise<Http2Answer> {
  const stream = caller.request(headers, { endStream: body === undefined });
  let answer: Record<string, unknown> = {};
  let trailers: Record<string, unknown> = {};
  const chunks: Buffer[] = [];
  stream.on("error", () => undefined);
  stream.on("response", (head) => {
    answer = { ...head };
  });
  stream.on("trailers", (head) => {
    trailers = { ...head };
  });
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  if (body !== undefined) stream.end(body);
  await new Promise((resolve) => stream.once("close", resolve));
  return { headers: answer, body: Buffer.concat(chunks).toString(), trailers, code: stream.rstCode };
}

/** A server that does with each request what a test says. */
export const http2Server = (
  onStream: (stream: ServerHttp2Stream, headers: Record<string, unknown>) => void,
): Http2Server => {
  const server = createServer();
  server.on("stream", (stream, headers) => {
    stream.on("error", () => undefined);
    onStream(stream, { ...headers });
  });
  return server;
};

type Fields = readonly (readonly [name: string, value: string])[];

/** RFC 9113 6. */
export const headersFrame = 1;
export const settingsFrame = 4;
export const pingFrame = 6;
export const dataFrame = 0;
export const endStream = 1;
export const endHeaders = 4;
const acknowledgement = 1;
const frameHead = 9;

/** Whole messages of one answer: heads of 1xx, its head, its body, its trailers. */
export interface FramedAnswer {
  readonly heads: readonly Fields[];
  /** Undefined: it ends with the last head. */
  readonly body: string | undefined;
  /** Undefined: it ends with its body. */
  readonly trailers: Fields | undefined;
}

/** A server of HTTP/2 that sends fields as they are, also those that a library would not, for each request in its turn. */
export const framedServer = (answerOf: () => FramedAnswer): Server =>
  rawServer((socket) => {
    let read = Buffer.alloc(0);
    let at = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".length;
    socket.write(frame(settingsFrame, 0, 0, Buffer.alloc(0)));
    socket.on("data", (chunk: Buffer) => {
      read = Buffer.concat([read, chunk]);
      while (at + frameHead <= read.length && at + frameHead + read.readUIntBE(at, 3) <= read.length) {
        const [type, flags] = [read.readUInt8(at + 3), read.readUInt8(at + 4)];
        const stream = read.readUInt32BE(at + 5);
        if (type === settingsFrame && flags === 0)
          socket.write(frame(settingsFrame, acknowledgement, 0, Buffer.alloc(0)));
        // A second one of the stream has the request's trailers.
        if (type === headersFrame && !(flags & endStream && wholeRequests.has(stream)))
          socket.write(framesOf(answerOf(), stream));
        if (type === headersFrame) wholeRequests.add(stream);
        at += frameHead + read.readUIntBE(at, 3);
      }
    });
    const wholeRequests = new Set<number>();
  });

function framesOf({ heads, body, trailers }: FramedAnswer, stream: number): Buffer {
  const frames = heads.map((fields, n) => {
    const isEnd = n === heads.length - 1 && body === undefined && trailers === undefined;
    return frame(headersFrame, endHeaders | (isEnd ? endStream : 0), stream, block(fields));
  });
  if (body !== undefined)
    frames.push(frame(dataFrame, trailers === undefined ? endStream : 0, stream, Buffer.from(body)));
  if (trailers !== undefined)
    frames.push(frame(headersFrame, endHeaders | endStream, stream, block(trailers)));
  return Buffer.concat(frames);
}

export function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(frameHead);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Literal fields that enter no table (RFC 7541 6.2.2), of up to 126 bytes each. */
export const block = (fields: Fields): Buffer =>
  Buffer.concat(
    fields.flatMap(([name, value]) => [
      Buffer.from([0]),
      ...[name, value].flatMap((text) => [Buffer.from([text.length]), Buffer.from(text, "latin1")]),
    ]),
  );
