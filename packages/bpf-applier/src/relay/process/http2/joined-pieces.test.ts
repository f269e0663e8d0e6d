import { createServer, type ServerHttp2Stream } from "node:http2";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { http2Preface } from "../first-bytes.ts";
import {
  block,
  dataFrame,
  endHeaders,
  endStream,
  frame,
  headersFrame,
  pingFrame,
  settingsFrame,
} from "../testing/http2-peers.ts";
import { listening } from "../testing/relay-world.ts";
import { joinPieces } from "./joined-pieces.ts";

const head = block([
  [":method", "POST"],
  [":scheme", "http"],
  [":path", "/"],
  [":authority", "web"],
]);
const ping = "pingpong";
const nothing = Buffer.alloc(0);

/** A stream on which came what a peer sent, one byte a frame. */
async function streamOf(stack: AsyncDisposableStack, bytes: Buffer): Promise<ServerHttp2Stream> {
  const { promise, resolve } = Promise.withResolvers<ServerHttp2Stream>();
  const server = createServer().on("stream", (stream) => {
    joinPieces(stream);
    resolve(stream.on("error", () => undefined));
  });
  const peer = connect(await listening(stack, server), "127.0.0.1");
  stack.defer(() => void peer.destroy());
  const pieces = Array.from(bytes, (_, at) =>
    frame(dataFrame, at === bytes.length - 1 ? endStream : 0, 1, bytes.subarray(at, at + 1)),
  );
  const begin = [frame(settingsFrame, 0, 0, nothing), frame(headersFrame, endHeaders, 1, head)];
  const all = [Buffer.from(http2Preface), ...begin, ...pieces, frame(pingFrame, 0, 0, Buffer.from(ping))];
  let heard = "";
  peer.on("data", (chunk: Buffer) => {
    heard += chunk.toString("latin1");
  });
  peer.write(Buffer.concat(all));
  await expect.poll(() => heard).toContain(ping);
  return promise;
}

test.each([10, 10_000])(
  "%i pieces that nobody reads are few once somebody does, and whole",
  async (count) => {
    await using stack = new AsyncDisposableStack();
    const bytes = Buffer.from(Array.from({ length: count }, (_, at) => at % 251));
    const stream = await streamOf(stack, bytes);
    const pieces: Buffer[] = [];
    stream.on("data", (piece: Buffer) => pieces.push(piece));
    await new Promise((resolve) => stream.once("end", resolve));
    expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
    expect(pieces).toHaveLength(1);
  },
);
