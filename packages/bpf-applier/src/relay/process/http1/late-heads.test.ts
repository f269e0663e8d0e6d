import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { expect, test } from "vitest";
import { listening, rawServer, readAll, readUntil } from "../testing/relay-world.ts";
import { HeadBound, type HeadLimits } from "../unfinished-heads.ts";
import { Http1Front } from "./http1-front.ts";

const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/** Callers of a front that answers requests for "/", and lets others wait until it is told. */
async function open(stack: AsyncDisposableStack, limits: HeadLimits = { timeMs: 200, unfinished: 1e9 }) {
  const waiting: (() => void)[] = [];
  const watchers = { onAnswered: () => undefined, onQuiet: () => undefined };
  const front = new Http1Front(
    (call) => {
      const answer = (): void => {
        call.answer({ status: 200, reason: "OK", rawHeaders: ["Content-Length", "2"] }, "length");
        call.write(Buffer.from("ok"));
        call.end([]);
      };
      if (call.head.path === "/") answer();
      else waiting.push(answer);
    },
    watchers,
    limits.timeMs,
  );
  const bound = new HeadBound([front], limits.unfinished);
  stack.defer(() => bound.close());
  const networks = [{}, {}];
  const server = rawServer((socket) => front.accept(socket, networks[0] ?? {}, undefined));
  const port = await listening(stack, server);
  const call = (): Socket => {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    stack.defer(() => void socket.destroy());
    return socket;
  };
  return { waiting, call, networks };
}

test("a head that is not whole in time is answered 408; connections without one stay open", async () => {
  await using stack = new AsyncDisposableStack();
  const { call } = await open(stack);
  const fresh = call();
  const between = call();
  between.write(get);
  await readUntil(between, "ok");
  for (let round = 0; round < 2; round++) {
    const late = call();
    late.write(`${round === 0 ? "" : get}GET / HTTP/1.1\r\nHost: `);
    expect(await readAll(late)).toMatch(/(^|ok)HTTP\/1.1 408 /);
  }
  for (const idle of [fresh, between]) {
    idle.write(get);
    expect(await readUntil(idle, "ok")).toMatch(/^HTTP\/1.1 200 .*ok$/s);
  }
});

test("a head behind a request that waits for its answer has time until that has ended", async () => {
  await using stack = new AsyncDisposableStack();
  const { call, waiting } = await open(stack);
  const behind = call();
  behind.write(`${get.replace("/", "/wait")}GET / HTTP/1.1\r\nHost: `);
  await expect.poll(() => waiting).toHaveLength(1);
  const late = call();
  late.write("GET / HTTP/1.1\r\nHost: ");
  expect(await readAll(late)).toMatch(/^HTTP\/1.1 408 /);
  behind.write("a\r\n\r\n");
  waiting[0]?.();
  expect(await readUntil(behind, /ok[^]*ok$/)).toMatch(/^HTTP\/1.1 200 .*okHTTP\/1.1 200 .*ok$/s);
});

test("unfinished heads of one network are refused, the longest first, as far as they are too much together", async () => {
  await using stack = new AsyncDisposableStack();
  const { call, networks } = await open(stack, { timeMs: 60_000, unfinished: 100_000 });
  const long = `GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(30_000)}`;
  const answers: string[] = [];
  const send = (head: string): Socket => {
    const socket = call();
    let answer = "";
    socket.on("data", (bytes: Buffer) => (answer += bytes.toString()));
    socket.on("end", () => answers.push(answer.slice(0, 12)));
    socket.write(head);
    return socket;
  };
  const short = send("GET / HTTP/1.1\r\nHost: ");
  for (let count = 0; count < 6; count++) send(long);
  await expect.poll(() => answers).toEqual(Array(3).fill("HTTP/1.1 431"));
  networks.reverse();
  for (let count = 0; count < 3; count++) send(long);
  const answered = once(short, "data");
  short.write("a\r\n\r\n");
  expect(String(await answered)).toMatch(/^HTTP\/1.1 200 /);
  send(long);
  await expect.poll(() => answers).toHaveLength(4);
});
