import { createServer as createHttp2Server } from "node:http2";
import { ApplicationProtocol } from "@keelson/protos/policy";
import { expect, test } from "vitest";
import { listening, RelayWorld, rawServer, readUntil, setName } from "./testing/relay-world.ts";

const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const hint = "x".repeat(1_000);
const refusal = "its 1xx heads are longer than 65536 bytes";

async function answerOf(world: RelayWorld): Promise<{ hints: number; last: string }> {
  const caller = await world.call();
  caller.write(get);
  const heads = (await readUntil(caller, new RegExp(`${refusal}$|ok$`))).split("HTTP/1.1 ");
  return { hints: heads.filter((head) => head.startsWith("103 ")).length, last: heads.at(-1) ?? "" };
}

test("1xx heads without end are no answer", async () => {
  await using stack = new AsyncDisposableStack();
  const flood = `HTTP/1.1 103 Early Hints\r\nLink: ${hint}\r\n\r\n`.repeat(100);
  const server = rawServer((socket) => {
    const pour = (): void => {
      while (socket.write(flood));
    };
    socket.once("data", pour).on("drain", pour);
  });
  const world = stack.use(await RelayWorld.start({ [setName]: [await listening(stack, server)] }));
  const { hints, last } = await answerOf(world);
  expect(hints).toBeGreaterThan(50);
  expect(hints).toBeLessThan(66);
  expect(last).toMatch(/^502 /);
});

test.each([
  [50, /^200 /],
  [100, /^502 /],
])("%i of them over HTTP/2", async (count, answer) => {
  await using stack = new AsyncDisposableStack();
  const server = createHttp2Server();
  server.on("stream", (stream) => {
    stream.on("error", () => undefined); // it is given up
    for (let sent = 0; sent < count; sent++) stream.additionalHeaders({ ":status": 103, link: hint });
    stream.respond({ ":status": 200, "content-length": 2 });
    stream.end("ok");
  });
  const port = { applicationProtocol: ApplicationProtocol.HTTP2 };
  const world = stack.use(await RelayWorld.start({ [setName]: [await listening(stack, server)] }, port));
  const { hints, last } = await answerOf(world);
  expect(hints).toBe(Math.min(count, 60));
  expect(last).toMatch(answer);
});

test("a caller of HTTP/1.0 gets none", async () => {
  await using stack = new AsyncDisposableStack();
  const answer = "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  const server = rawServer((socket) => socket.once("data", () => socket.write(answer)));
  const world = stack.use(await RelayWorld.start({ [setName]: [await listening(stack, server)] }));
  const caller = await world.call();
  caller.write("GET / HTTP/1.0\r\nHost: a\r\n\r\n");
  expect(await readUntil(caller, "ok")).toMatch(/^HTTP\/1.1 200 /);
});
