import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import type { Socket } from "node:net";
import { expect, test } from "vitest";
import { listening, RelayWorld, rawServer, readAll, routeTo, setName } from "./testing/relay-world.ts";

/** Long enough that most of it goes past the streams, and no multiple of anything. */
const size = 3_000_017;
const body = Buffer.from(Uint8Array.from({ length: size }, (_, at) => (at * 7 + (at >> 8) * 3) & 0xff));
const head = `HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`;
const asked = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const digestOf = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

/** A server that does with each request what a test says. @returns its port, and how many connections it has had */
async function serve(
  stack: AsyncDisposableStack,
  onRequest: (socket: Socket, request: number) => void,
): Promise<{ port: number; counts: { connections: number; open: number } }> {
  const counts = { connections: 0, open: 0 };
  let requests = 0;
  const server = rawServer((socket) => {
    counts.connections++;
    counts.open++;
    socket.on("close", () => counts.open--);
    socket.on("data", () => onRequest(socket, ++requests));
    socket.on("end", () => socket.end());
  });
  return { port: await listening(stack, server), counts };
}

/** Gives the next bytes that come to a caller; fewer if its connection ends before. */
function reader(socket: Socket): (length: number) => Promise<Buffer> {
  const chunks: Buffer[] = [];
  let come = 0;
  let ended = false;
  let changed = (): void => undefined;
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    come += chunk.length;
    changed();
  });
  const end = (): void => {
    ended = true;
    changed();
  };
  socket.once("end", end);
  socket.once("close", end);
  return async (length) => {
    await new Promise<void>((resolve) => {
      changed = () => {
        if (come >= length || ended) resolve();
      };
      changed();
    });
    const held = Buffer.concat(chunks.splice(0));
    const taken = held.subarray(0, length);
    chunks.push(held.subarray(length));
    come -= taken.length;
    return taken;
  };
}

const descriptors = (): number => readdirSync("/proc/self/fd").length;

test("long bodies arrive whole, one behind the other, over the same connections, and are counted", async () => {
  await using stack = new AsyncDisposableStack();
  const { port, counts } = await serve(stack, (socket) =>
    socket.write(Buffer.concat([Buffer.from(head), body])),
  );
  const world = stack.use(await RelayWorld.start({ [setName]: [port] }));
  const caller = await world.call();
  const take = reader(caller);
  const rounds = 6;
  let before = 0;
  for (let round = 0; round < rounds; round++) {
    caller.write(asked + (round % 2 === 0 ? "" : asked)); // the second of two is answered behind the first
    for (let answer = 0; answer <= round % 2; answer++) {
      expect((await take(head.length)).toString()).toBe(head);
      expect(digestOf(await take(size))).toBe(digestOf(body));
    }
    if (round === 1) before = descriptors();
  }
  // The caller may have the last byte before the relay has looked what became of it.
  await expect
    .poll(() => world.core.counters.all())
    .toMatchObject([{ requests: 9, bytesReceived: 9 * size }]);
  // Those of tests before may have closed meanwhile.
  await expect.poll(descriptors).toBeLessThanOrEqual(before);
  expect(counts.connections).toBeLessThanOrEqual(2);
});

test("a head that comes alone leaves at once, and its long body behind it", async () => {
  await using stack = new AsyncDisposableStack();
  const sockets: Socket[] = [];
  const { port } = await serve(stack, (socket) => {
    sockets.push(socket);
    socket.write(head);
  });
  const world = stack.use(await RelayWorld.start({ [setName]: [port] }));
  const caller = await world.call();
  const take = reader(caller);
  for (let round = 0; round < 3; round++) {
    caller.write(asked);
    expect((await take(head.length)).toString()).toBe(head);
    sockets[round]?.write(body);
    expect(digestOf(await take(size))).toBe(digestOf(body));
  }
});

test("a server that ends within a long body ends the caller's connection behind what came", async () => {
  await using stack = new AsyncDisposableStack();
  const { port } = await serve(stack, (socket) =>
    socket.end(Buffer.concat([Buffer.from(head), body.subarray(9)])),
  );
  const world = stack.use(await RelayWorld.start({ [setName]: [port] }));
  const caller = await world.call();
  caller.write(asked);
  expect((await readAll(caller)).length).toBe(head.length + size - 9);
  await expect
    .poll(() => world.core.counters.all())
    .toMatchObject([{ requests: 1, bytesReceived: size - 9 }]);
});

test("bytes behind a long body end the server's connection, and reach nobody", async () => {
  await using stack = new AsyncDisposableStack();
  const { port, counts } = await serve(stack, (socket) =>
    socket.write(
      Buffer.concat([Buffer.from(head), body, Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")]),
    ),
  );
  const world = stack.use(await RelayWorld.start({ [setName]: [port] }));
  const caller = await world.call();
  const take = reader(caller);
  for (let round = 1; round <= 3; round++) {
    caller.write(asked);
    await take(head.length);
    expect(digestOf(await take(size))).toBe(digestOf(body));
    expect(counts.connections).toBe(round);
  }
});

test.each(["destroy", "resetAndDestroy"] as const)(
  "a caller that reads nothing and goes (%s) ends the server's connection, however much waits",
  async (how) => {
    await using stack = new AsyncDisposableStack();
    const { port, counts } = await serve(stack, (socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${50 * size}\r\n\r\n`);
      for (let piece = 0; piece < 20; piece++) socket.write(body);
    });
    const world = stack.use(await RelayWorld.start({ [setName]: [port] }));
    const before = descriptors();
    const caller = await world.call();
    caller.pause();
    caller.write(asked);
    await expect.poll(() => caller.readableLength).toBeGreaterThan(0);
    caller[how]();
    await expect.poll(() => counts.open).toBe(0);
    caller.destroy();
    await expect.poll(descriptors).toBeLessThanOrEqual(before);
  },
);

test("a caller that says it sends no more gets a long body whole", async () => {
  await using stack = new AsyncDisposableStack();
  const { port } = await serve(stack, (socket) => socket.write(Buffer.concat([Buffer.from(head), body])));
  const world = stack.use(await RelayWorld.start({ [setName]: [port] }));
  const caller = await world.call();
  caller.end(asked);
  expect((await readAll(caller)).length).toBe(head.length + size);
});

test("a rule's time limit ends a long body that stands still", async () => {
  await using stack = new AsyncDisposableStack();
  const { port, counts } = await serve(stack, (socket) =>
    socket.write(Buffer.concat([Buffer.from(head), body.subarray(1)])),
  );
  // All of it but the last byte has to come within the limit, on a busy machine, too.
  const routes = [routeTo(setName, { route: { name: "all", timeoutMs: 1_500n } })];
  const world = stack.use(await RelayWorld.start({ [setName]: [port] }, { routes }));
  const caller = await world.call();
  caller.write(asked);
  expect((await readAll(caller)).length).toBe(head.length + size - 1);
  await expect.poll(() => counts.open).toBe(0);
  expect(world.core.counters.all()).toMatchObject([{ requests: 1, bytesReceived: size - 1 }]);
});
