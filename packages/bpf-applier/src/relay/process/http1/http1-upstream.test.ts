import { Socket } from "node:net";
import { expect, test } from "vitest";
import type { ExchangeEvents, OutgoingRequest } from "../message.ts";
import { ReusedReads } from "../reused-reads.ts";
import { listening, rawServer } from "../testing/relay-world.ts";
import { Http1Upstream } from "./http1-upstream.ts";

type Body = OutgoingRequest["body"];
const cases: readonly (readonly [name: string, fields: string[], body: Body, sent: string, fate: string])[] =
  [
    ["none, and told of none", [], "none", "", "idle"],
    ["none, and told of one of no bytes", ["Content-Length", "0"], "none", "", "idle"],
    ["none, and told of one", ["Content-Length", "5"], "none", "", "closed"],
    ["none, and told of chunks", ["Transfer-Encoding", "chunked"], "none", "", "closed"],
    ["as long as told", ["Content-Length", "5"], "length", "hello", "idle"],
    ["shorter than told", ["Content-Length", "5"], "length", "hell", "closed"],
    ["chunks", ["Transfer-Encoding", "chunked"], "chunked", "hello", "idle"],
  ];

test.each(cases)(
  "a connection carries other requests behind a body only if it was whole: %s",
  async (...given) => {
    const [, rawHeaders, body, sent, fate] = given;
    await using stack = new AsyncDisposableStack();
    const answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    // Whatever the request, as a server may that does not care for bodies.
    const server = rawServer((socket) => socket.once("data", () => socket.write(answer)));
    const reads = new ReusedReads();
    const socket = new Socket({ onread: reads.onread });
    socket.connect(await listening(stack, server), "127.0.0.1");
    stack.defer(() => void socket.destroy());
    const { promise, resolve } = Promise.withResolvers<string>();
    const owner = { onIdle: () => resolve("idle"), onClosed: () => resolve("closed") };
    const nothing = (): void => {};
    const events: ExchangeEvents = {
      onInformational: nothing,
      onHead: nothing,
      onBody: nothing,
      onEnd: nothing,
      onUpgrade: nothing,
      onDrain: nothing,
      onFailure: ({ reason }) => resolve(reason),
    };
    const request = { method: "POST", target: "/", authority: "a", rawHeaders, body };
    const exchange = new Http1Upstream(socket, reads, owner).start(request, events);
    if (sent !== "") exchange.write(Buffer.from(sent));
    if (body !== "none") exchange.end();
    expect(await promise).toBe(fate);
  },
);
