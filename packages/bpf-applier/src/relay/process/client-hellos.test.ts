import { ApplicationProtocol } from "@keelson/protos/policy";
import { expect, test } from "vitest";
import { listening, RelayWorld, rawServer, readAll, readUntil, setName } from "./testing/relay-world.ts";
import type { HeadLimits } from "./unfinished-heads.ts";

/** A relay before a server that sends back what comes, and the server's connections. */
async function open(
  stack: AsyncDisposableStack,
  applicationProtocol: ApplicationProtocol,
  heads: HeadLimits,
): Promise<{ world: RelayWorld; connections: () => number }> {
  let connections = 0;
  const server = rawServer((socket) => {
    connections++;
    socket.pipe(socket);
  });
  const servers = { [setName]: [await listening(stack, server)] };
  const world = stack.use(await RelayWorld.start(servers, { applicationProtocol }, { heads }));
  return { world, connections: () => connections };
}

/** A record of a handshake's first message with so many bytes of it. */
function hello(bytes: number, whole: number): Buffer {
  const record = Buffer.alloc(5 + bytes);
  record.set([0x16, 3, 1, whole >> 8, whole & 0xff, 1]);
  return record;
}

test("a TLS handshake whose first message is not whole in time is closed; one that is goes on", async () => {
  await using stack = new AsyncDisposableStack();
  const limits = { timeMs: 200, unfinished: 1e9 };
  const { world, connections } = await open(stack, ApplicationProtocol.TLS, limits);
  const silent = await world.call();
  const whole = await world.call();
  const first = hello(100, 100);
  whole.write(first);
  expect(await readUntil(whole, first.toString("latin1"))).toHaveLength(105);
  for (const begun of [2, 50]) {
    const late = await world.call();
    late.write(hello(100, 100).subarray(0, begun));
    expect(await readAll(late)).toBe("");
  }
  expect(connections()).toBe(1);
  for (const caller of [silent, whole]) {
    caller.write(first);
    expect(await readUntil(caller, first.toString("latin1"))).toHaveLength(105);
  }
});

test("TLS handshakes whose first message is not whole count among a network's unfinished heads", async () => {
  await using stack = new AsyncDisposableStack();
  const limits = { timeMs: 60_000, unfinished: 100_000 };
  const { world, connections } = await open(stack, ApplicationProtocol.HTTP, limits);
  let closed = 0;
  const begin = async () => {
    const caller = await world.call();
    caller.once("close", () => closed++).resume();
    caller.on("end", () => caller.end());
    caller.write(hello(15_000, 16_000));
    return caller;
  };
  const first = await begin();
  for (let count = 0; count < 3; count++) await begin();
  const request = await world.call();
  request.write(`GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(60_000)}`);
  expect(await readAll(request)).toMatch(/^HTTP\/1.1 431 /);
  expect(closed).toBe(0);
  first.write(Buffer.alloc(1_000));
  await expect.poll(() => connections()).toBe(1);
  for (let count = 0; count < 5; count++) await begin();
  await expect.poll(() => closed).toBe(2);
  expect(connections()).toBe(1);
});
