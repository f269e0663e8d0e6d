import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { expect, test } from "vitest";
import type { Call } from "../call.ts";
import {
  block,
  endHeaders,
  endStream,
  frame,
  headersFrame,
  pingFrame,
  settingsFrame,
} from "../testing/http2-peers.ts";
import { listening, rawServer } from "../testing/relay-world.ts";
import { HeadBound } from "../unfinished-heads.ts";
import { Http2Front } from "./http2-front.ts";

const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const goAwayFrame = 7;
const continuationFrame = 9;
const acknowledgement = 1;
const enhanceYourCalm = 11;

const settings = frame(settingsFrame, 0, 0, Buffer.alloc(0));
const fieldsFor = (path: string) =>
  [":method GET", `:path ${path}`, ":scheme http", ":authority a"].map((field) => {
    const [name = "", value = ""] = field.split(" ");
    return [name, value] as const;
  });
const whole = (stream: number, path = "/"): Buffer =>
  frame(headersFrame, endStream | endHeaders, stream, block(fieldsFor(path)));
const begun = (stream: number): Buffer => frame(headersFrame, endStream, stream, block(fieldsFor("/")));
const part = (fields: number): Buffer =>
  frame(
    continuationFrame,
    0,
    1,
    block(Array.from({ length: fields }, (_, n) => [`x-${n}`, "x".repeat(100)])),
  );

/** What a caller does with PINGs: within a head it cannot answer before its end. */
type Pings = "answered" | "held" | "never";

/** A caller, and what it has got. */
class Caller {
  readonly socket: Socket;
  /** Streams that were answered. */
  readonly answered: number[] = [];
  /** Codes. */
  readonly goAways: number[] = [];
  private read = Buffer.alloc(0);
  private pings: Pings;
  private readonly held: Buffer[] = [];

  constructor(socket: Socket, pings: Pings) {
    this.socket = socket;
    this.pings = pings;
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      this.read = Buffer.concat([this.read, chunk]);
      for (let end = this.end(); end <= this.read.length; end = this.end()) {
        const [type, flags] = [this.read.readUInt8(3), this.read.readUInt8(4)];
        const payload = this.read.subarray(9, end);
        if (type === headersFrame) this.answered.push(this.read.readUInt32BE(5));
        if (type === goAwayFrame) this.goAways.push(payload.readUInt32BE(4));
        if (type === pingFrame && flags === 0) this.held.push(frame(pingFrame, acknowledgement, 0, payload));
        this.answerPings();
        this.read = this.read.subarray(end);
      }
    });
  }

  private end(): number {
    return this.read.length < 9 ? Number.POSITIVE_INFINITY : 9 + this.read.readUIntBE(0, 3);
  }

  /** Ends the head that it is within. */
  finish(stream: number): void {
    this.socket.write(frame(continuationFrame, endHeaders, stream, Buffer.alloc(0)));
    if (this.pings === "held") this.pings = "answered";
    this.answerPings();
  }

  private answerPings(): void {
    if (this.pings === "answered") for (const answer of this.held.splice(0)) this.socket.write(answer);
  }

  /** @returns codes of the GOAWAYs that it got until the other end said no more */
  async ended(): Promise<readonly number[]> {
    if (!this.socket.readableEnded) await once(this.socket, "end");
    return this.goAways;
  }
}

interface Limits {
  readonly headMs?: number;
  readonly idleMs?: number;
  /** Bytes of unfinished heads of one network. */
  readonly unfinished?: number;
}

/** Callers of a front that answers requests for "/" at once, and leaves others to the test. */
async function open(
  stack: AsyncDisposableStack,
  { headMs = 60_000, idleMs = 60_000, unfinished = 1e9 }: Limits,
) {
  const waiting: Call[] = [];
  const answer = (call: Call): void => {
    call.answer({ status: 200, reason: "", rawHeaders: [] }, "none");
  };
  const front = new Http2Front(
    (call) => {
      if (call.head.path === "/") answer(call);
      else waiting.push(call);
    },
    { headMs, idleMs },
  );
  const bound = new HeadBound([front], unfinished);
  stack.defer(() => {
    bound.close();
    front.close();
  });
  const sockets = new Set<Socket>();
  const networks = [{}, {}];
  const server = rawServer((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    front.accept(socket, networks[0] ?? {});
  });
  const port = await listening(stack, server);
  const call = (first: readonly (Buffer | string)[], pings: Pings = "answered"): Caller => {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    stack.defer(() => void socket.destroy());
    for (const piece of first) socket.write(piece);
    return new Caller(socket, pings);
  };
  return { call, waiting, answer, sockets, networks };
}

test.each([
  ["a request's head", [preface, settings, begun(1)]],
  ["a head of which some of the first frame came", [preface, settings, begun(1).subarray(0, 12)]],
  ["a head behind another request", [preface, settings, whole(1), begun(3)]],
  [
    "a head behind a malformed one",
    [preface, settings, frame(headersFrame, 5, 1, Buffer.alloc(0)), begun(3)],
  ],
  ["SETTINGS", [preface]],
  ["SETTINGS of which some came", [preface, settings.subarray(0, 4)]],
])("a connection ends where what was begun is not whole in time: %s", async (_, first) => {
  await using stack = new AsyncDisposableStack();
  const { call, sockets } = await open(stack, { headMs: 300 });
  expect(await call(first, "held").ended()).toEqual([enhanceYourCalm]);
  await expect.poll(() => sockets.size).toBe(0);
});

test("a head that comes in pieces in time is answered, and connections on which nothing is begun stay", async () => {
  await using stack = new AsyncDisposableStack();
  const { call, waiting, answer } = await open(stack, { headMs: 400 });
  const quiet = call([preface, settings]);
  const between = call([preface, settings, whole(1)]);
  const refused = call([preface, settings, frame(headersFrame, endStream | endHeaders, 1, Buffer.alloc(0))]);
  const underWay = call([preface, settings, whole(1, "/later")]);
  const slow = call([preface, settings, begun(1)], "held");
  setTimeout(() => slow.finish(1), 200);
  for (let n = 0; n < 2; n++) await call([preface, settings, begun(1)], "held").ended();
  expect(slow.answered).toEqual([1]);
  if (waiting[0] !== undefined) answer(waiting[0]);
  await expect.poll(() => underWay.answered).toEqual([1]);
  for (const caller of [quiet, between, refused, underWay, slow]) {
    caller.socket.write(whole(5));
    await expect.poll(() => caller.answered.at(-1)).toBe(5);
  }
});

test("who answers no PING has no more time for a head", async () => {
  await using stack = new AsyncDisposableStack();
  const { call } = await open(stack, { headMs: 400 });
  const caller = call([preface, settings], "never");
  for (let n = 1; n < 30; n += 2) {
    caller.socket.write(begun(n));
    await new Promise((resolve) => setTimeout(resolve, 120));
    caller.finish(n);
    await expect.poll(() => caller.answered.at(-1)).toBe(n);
  }
  caller.socket.write(begun(31));
  expect(await caller.ended()).toEqual([enhanceYourCalm]);
});

test("heads that are not whole count among a network's, and the longest end", async () => {
  await using stack = new AsyncDisposableStack();
  const { call, networks } = await open(stack, { unfinished: 100_000 });
  const first = [preface, settings, whole(1), begun(3)];
  const long = (): Caller => call([...first.slice(0, 2), begun(1), part(120), part(120), part(60)], "held");
  const short = call(first, "held");
  const some = [long(), long(), long(), long(), long()];
  const ended = (): number => some.filter(({ goAways }) => goAways[0] === enhanceYourCalm).length;
  await expect.poll(ended).toBe(2);
  networks.reverse();
  some.push(long(), long(), long());
  short.finish(3);
  await expect.poll(() => short.answered).toEqual([1, 3]);
  expect(ended()).toBe(2);
  some.push(long());
  await expect.poll(ended).toBe(3);
});

test("a connection without a request for too long ends in order, however its caller takes it", async () => {
  await using stack = new AsyncDisposableStack();
  const { call, waiting, answer, sockets } = await open(stack, { headMs: 300, idleMs: 500 });
  const begin = performance.now();
  const [never, answered] = [call([preface, settings]), call([preface, settings, whole(1)])];
  const busy = call([preface, settings, whole(1, "/later")]);
  for (const caller of [never, answered]) expect((await caller.ended())[0]).toBe(0);
  expect(performance.now() - begin).toBeGreaterThan(490);
  // Their callers do not end their side.
  await expect.poll(() => sockets.size).toBe(1);
  expect(busy.goAways).toEqual([]);
  if (waiting[0] !== undefined) answer(waiting[0]);
  await expect.poll(() => busy.answered).toEqual([1]);
  expect((await busy.ended())[0]).toBe(0);
});
