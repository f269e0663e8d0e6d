import { once } from "node:events";
import type { Socket } from "node:net";
import { expect, test } from "vitest";
import {
  listening,
  RelayWorld,
  rawServer,
  readAll,
  readUntil,
  service,
  setName,
  workload,
} from "../testing/relay-world.ts";
import { defaultBounds, type PoolBounds } from "./link-pools.ts";
import { PlayedKernel } from "./testing/played-kernel.ts";

const caller = 77n;
const get = "GET / HTTP/1.1\r\nHost: web\r\n\r\n";
const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** A relay of whose requests a test takes some, and a server of which it sees each connection. */
class SwitchedWorld {
  readonly kernel = new PlayedKernel();
  readonly connections: Socket[] = [];
  readonly relay: RelayWorld;
  /** The one caller. */
  readonly socket: Socket;
  /** What the server does with a connection's requests. */
  static answer = ok;

  private constructor(relay: RelayWorld, kernel: PlayedKernel, connections: Socket[], socket: Socket) {
    this.relay = relay;
    this.kernel = kernel;
    this.connections = connections;
    this.socket = socket;
  }

  /** Comes to where programs may take a request: the relay has answered two, and has opened a link. */
  static async open(
    stack: AsyncDisposableStack,
    bounds: PoolBounds = defaultBounds,
    answer: string = ok,
  ): Promise<SwitchedWorld> {
    const kernel = new PlayedKernel();
    const connections: Socket[] = [];
    const server = rawServer((socket) => {
      connections.push(socket);
      socket.on("data", (bytes: Buffer) => {
        if (bytes.toString().startsWith("GET / ")) socket.write(answer);
      });
    });
    const port = await listening(stack, server);
    const relay = stack.use(await RelayWorld.start({ [setName]: [port] }, {}, { kernel, bounds }));
    relay.origins.answer = { workload, service, cookie: caller };
    const socket = await relay.call();
    socket.write(get);
    expect(await readUntil(socket, "ok")).toMatch(/^HTTP\/1.1 200 OK/);
    kernel.lookAt(caller);
    socket.write(get);
    await readUntil(socket, "ok");
    await expect.poll(() => kernel.links.size).toBe(1);
    return new SwitchedWorld(relay, kernel, connections, socket);
  }

  /** The server's end of the link. */
  get linkEnd(): Socket {
    const last = this.connections.at(-1);
    if (last === undefined) throw new Error("the server has no connection");
    return last;
  }

  /** Another caller's request is answered: the relay has seen what was sent to it before. */
  async othersAnswered(): Promise<void> {
    this.relay.origins.answer = { workload, service, cookie: 78n };
    const other = await this.relay.call();
    other.write(get);
    await readUntil(other, "ok");
  }

  /** Programs take a request; the server has it. @returns the link's cookie */
  async take(request: string): Promise<bigint> {
    await expect.poll(() => this.kernel.handbacks.get(caller)).toBeDefined();
    const link = this.kernel.take(caller, request);
    await once(this.linkEnd, "data");
    return link;
  }
}

const held = "GET /held HTTP/1.1\r\nHost: web\r\n\r\n";

test("after an answer the relay hands back what it has read and written, and opens one link where none was free", async () => {
  await using stack = new AsyncDisposableStack();
  const world = await SwitchedWorld.open(stack);
  const { kernel, socket } = world;
  const counts = { read: 2 * get.length, written: socket.bytesRead };
  await expect.poll(() => kernel.handbacks.get(caller)).toEqual(counts);
  socket.write(get);
  await readUntil(socket, "ok");
  await expect.poll(() => kernel.handbacks.get(caller)?.read).toBe(3 * get.length);
  expect(kernel.links.size).toBe(1);
  expect(world.connections).toHaveLength(2); // the relay's own, and the link
});

test("nothing is handed back where a next request has begun, or the connection ends behind the answer", async () => {
  await using stack = new AsyncDisposableStack();
  const { kernel, socket, relay } = await SwitchedWorld.open(stack);
  await expect.poll(() => kernel.handbacks.get(caller)?.read).toBe(2 * get.length);
  socket.write(`${get}GE`);
  await readUntil(socket, "ok");
  socket.write("T / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n");
  expect(await readAll(socket)).toMatch(/ok$/);
  expect(kernel.handbacks.get(caller)?.read ?? 2 * get.length).toBe(2 * get.length);
  relay.origins.answer = { workload, service, cookie: 78n };
  const old = await relay.call();
  old.write("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  await readUntil(old, "ok");
  expect(kernel.handbacks.has(78n)).toBe(false);
});

test("a request behind one that programs have waits until that is answered and read", async () => {
  await using stack = new AsyncDisposableStack();
  const world = await SwitchedWorld.open(stack);
  const { kernel, socket, relay } = world;
  const link = await world.take(held);
  const before = relay.core.status().requests;
  kernel.unread.add(caller);
  socket.write(get);
  kernel.move(link, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nmoved", true);
  expect(await readUntil(socket, "moved")).toMatch(/moved$/);
  expect(relay.core.status().requests).toBe(before);
  kernel.unread.delete(caller);
  expect(await readUntil(socket, "ok")).toMatch(/^HTTP.*ok$/s);
});

test("a caller that sends no more gets the answer that programs have under way, then the end", async () => {
  await using stack = new AsyncDisposableStack();
  const world = await SwitchedWorld.open(stack);
  const link = await world.take(held);
  world.socket.end();
  world.kernel.unread.add(caller);
  world.kernel.move(link, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nmoved", true);
  expect(await readUntil(world.socket, "moved")).toMatch(/moved$/);
  expect(world.socket.readableEnded).toBe(false);
  world.kernel.unread.delete(caller);
  await readAll(world.socket);
  expect(world.kernel.callers.size).toBe(0);
});

test("a request with a body that waits is sent whole, though its caller says at once that it sends no more", async () => {
  await using stack = new AsyncDisposableStack();
  const world = await SwitchedWorld.open(stack);
  const { kernel, socket, connections } = world;
  const link = await world.take(held);
  const put = "PUT /put HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n";
  const received = readUntil(connections[0] ?? socket, "0\r\n\r\n");
  kernel.unread.add(caller);
  socket.end(put);
  kernel.move(link, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nmoved", true);
  await world.othersAnswered();
  kernel.unread.delete(caller);
  expect(await received).toMatch(/PUT .*body\r\n0\r\n\r\n$/s);
  connections[0]?.write(ok);
  expect(await readAll(socket)).toMatch(/moved.*ok$/s);
});

test("a caller that is gone with a request under way takes the link with it; nothing of it stays in maps", async () => {
  await using stack = new AsyncDisposableStack();
  const world = await SwitchedWorld.open(stack);
  await world.take(held);
  const closed = once(world.linkEnd, "end");
  world.kernel.gone.add(caller);
  world.socket.resetAndDestroy();
  await closed;
  const { kernel } = world;
  await expect
    .poll(() => [kernel.callers, kernel.homes, kernel.handbacks, kernel.links].map(({ size }) => size))
    .toEqual([0, 0, 0, 0]);
});

test("a caller's close with a request under way ends the same", async () => {
  await using stack = new AsyncDisposableStack();
  const world = await SwitchedWorld.open(stack);
  await world.take(held);
  const closed = once(world.linkEnd, "end");
  world.kernel.gone.add(caller);
  world.socket.end();
  world.socket.destroy();
  await closed;
  await expect.poll(() => world.kernel.links.size).toBe(0);
});

test.each([
  ["of a known length", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npassed"],
  ["in chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\npassed\r\n0\r\n\r\n"],
  [
    "behind 103",
    "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npassed",
  ],
])(
  "an answer that is passed, %s, is carried; then the caller is handed back, and the link released",
  async (_, answer) => {
    await using stack = new AsyncDisposableStack();
    const world = await SwitchedWorld.open(stack);
    const { kernel, socket } = world;
    const link = await world.take(held);
    kernel.pass(link);
    world.linkEnd.write(answer);
    let text = "";
    while (text.length < answer.length) text += await readUntil(socket, /./s);
    expect(text).toBe(answer);
    await expect.poll(() => kernel.links.get(link)?.caller).toBe(0n);
    expect(kernel.handbacks.get(caller)).toEqual({ read: 2 * get.length, written: socket.bytesRead });
    expect([...kernel.pools.values()]).toEqual([[link]]);
    const carried = { service, workload, route: "", statusClass: 2, requests: 1, bytesReceived: 6 };
    expect(world.relay.core.counters.all().filter(({ route }) => route === "")).toMatchObject([carried]);
    socket.write(get);
    expect(await readUntil(socket, "ok")).toMatch(/ok$/);
  },
);

test("a request that came behind one whose answer is passed is answered behind it", async () => {
  await using stack = new AsyncDisposableStack();
  const world = await SwitchedWorld.open(stack);
  const link = await world.take(held);
  world.kernel.pass(link);
  world.socket.write(get);
  world.linkEnd.write("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npas");
  await readUntil(world.socket, "pas");
  world.linkEnd.write("sed");
  expect(await readUntil(world.socket, "ok")).toMatch(/^sedHTTP.*ok$/s);
});

test("HEAD that is passed ends with its head", async () => {
  await using stack = new AsyncDisposableStack();
  const world = await SwitchedWorld.open(stack);
  const link = await world.take("HEAD /held HTTP/1.1\r\nHost: web\r\n\r\n");
  world.kernel.pass(link);
  world.linkEnd.write("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n");
  await expect.poll(() => world.kernel.links.get(link)?.caller).toBe(0n);
});

test("an answer that ends with its connection ends the caller's, too", async () => {
  await using stack = new AsyncDisposableStack();
  const world = await SwitchedWorld.open(stack);
  world.kernel.pass(await world.take(held));
  world.linkEnd.end("HTTP/1.1 200 OK\r\n\r\nto the end");
  expect(await readAll(world.socket)).toBe("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end");
  await expect.poll(() => world.kernel.links.size).toBe(0);
});

test("an answer behind which its server closes leaves the caller's connection open, and the link ends", async () => {
  await using stack = new AsyncDisposableStack();
  const world = await SwitchedWorld.open(stack);
  world.kernel.pass(await world.take(held));
  world.linkEnd.end("HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\npassed");
  expect(await readUntil(world.socket, "passed")).toBe("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npassed");
  await expect.poll(() => world.kernel.links.size).toBe(0);
  world.socket.write(get);
  expect(await readUntil(world.socket, "ok")).toMatch(/ok$/);
});

test.each([
  ["ends", ""],
  ["says more than its answer", "more"],
])("a server that %s while the link is released: the caller's connection stays", async (_, more) => {
  await using stack = new AsyncDisposableStack();
  const world = await SwitchedWorld.open(stack);
  const { kernel, socket } = world;
  kernel.pass(await world.take(held));
  const gate = Promise.withResolvers<void>();
  kernel.mayRelease = gate.promise;
  world.linkEnd.write("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npassed");
  expect(await readUntil(socket, "passed")).toMatch(/passed$/);
  world.linkEnd.end(more);
  await world.othersAnswered();
  gate.resolve();
  await expect.poll(() => kernel.links.size).toBe(0);
  socket.write(get);
  expect(await readUntil(socket, "ok")).toMatch(/^HTTP\/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok$/);
});

test("a caller that goes while its link is released leaves the link to others", async () => {
  await using stack = new AsyncDisposableStack();
  const world = await SwitchedWorld.open(stack);
  const { kernel, socket } = world;
  const link = await world.take(held);
  kernel.pass(link);
  const gate = Promise.withResolvers<void>();
  kernel.mayRelease = gate.promise;
  world.linkEnd.write("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npassed");
  await readUntil(socket, "passed");
  socket.resetAndDestroy();
  await expect.poll(() => kernel.callers.size).toBe(0);
  gate.resolve();
  await expect.poll(() => [...kernel.pools.values()].flat()).toEqual([link]);
  expect(kernel.links.has(link)).toBe(true);
});

test("what is no answer is answered 502, and the link ends", async () => {
  await using stack = new AsyncDisposableStack();
  const world = await SwitchedWorld.open(stack);
  world.kernel.pass(await world.take(held));
  world.linkEnd.write("SMTP ready\r\n\r\n");
  expect(await readUntil(world.socket, /line$/)).toMatch(
    /^HTTP\/1.1 502 Bad Gateway\r\n.*"SMTP ready" is no status line$/s,
  );
  await expect.poll(() => world.kernel.links.size).toBe(0);
});

test.each([
  ["instead of answering", ""],
  ["within an answer that is passed", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npas"],
])("a server that ends %s ends the caller's connection", async (_, said) => {
  await using stack = new AsyncDisposableStack();
  const world = await SwitchedWorld.open(stack);
  const link = await world.take(held);
  if (said !== "") world.kernel.pass(link);
  world.linkEnd.end(said);
  expect(await readAll(world.socket)).toBe(said);
  await expect.poll(() => [world.kernel.links.size, world.kernel.callers.size]).toEqual([0, 0]);
});

test("a server that ends within an answer that is moved: what came is read first", async () => {
  await using stack = new AsyncDisposableStack();
  const world = await SwitchedWorld.open(stack);
  const link = await world.take(held);
  world.kernel.unread.add(caller);
  world.kernel.move(link, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nmov", false);
  world.linkEnd.resetAndDestroy();
  expect(await readUntil(world.socket, "mov")).toMatch(/mov$/);
  await expect.poll(() => world.kernel.callers.get(caller)?.link).toBe(0n);
  expect(world.socket.readableEnded).toBe(false);
  world.kernel.unread.delete(caller);
  await readAll(world.socket);
});

test("an idle link that its server closes leaves its pool; bytes that nobody asked for end it", async () => {
  await using stack = new AsyncDisposableStack();
  const world = await SwitchedWorld.open(stack);
  world.linkEnd.end();
  await expect
    .poll(() => [world.kernel.links.size, [...world.kernel.pools.values()].flat().length])
    .toEqual([0, 0]);
  world.socket.write(get);
  await readUntil(world.socket, "ok");
  await expect.poll(() => world.kernel.links.size).toBe(1);
  const ended = once(world.linkEnd, "end");
  world.linkEnd.write("HTTP/1.1 408 Request Timeout\r\n\r\n");
  await ended;
  await expect.poll(() => world.kernel.links.size).toBe(0);
  expect(world.socket.destroyed).toBe(false);
});

test("bytes behind what was moved of an answer end both connections", async () => {
  await using stack = new AsyncDisposableStack();
  const world = await SwitchedWorld.open(stack);
  const link = await world.take(held);
  world.kernel.move(link, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nmov", false);
  Object.assign(world.kernel.links.get(link) ?? {}, { isPassed: 1, left: 3 });
  world.linkEnd.write("ed and more");
  await readAll(world.socket);
  await expect.poll(() => world.kernel.links.size).toBe(0);
});

test("a request that was cut off on its way ends both connections", async () => {
  await using stack = new AsyncDisposableStack();
  const world = await SwitchedWorld.open(stack);
  await world.take(held);
  Object.assign(world.kernel.callers.get(caller) ?? {}, { isBroken: 1 });
  await readAll(world.socket);
  await expect.poll(() => world.kernel.links.size).toBe(0);
});

test("a request on a link that is nobody's any more ends the caller's connection", async () => {
  await using stack = new AsyncDisposableStack();
  const world = await SwitchedWorld.open(stack);
  Object.assign(world.kernel.callers.get(caller) ?? {}, { link: 99n });
  await readAll(world.socket);
});

test("a malformed request behind one that programs have is refused behind its answer", async () => {
  await using stack = new AsyncDisposableStack();
  const world = await SwitchedWorld.open(stack);
  const link = await world.take(held);
  world.socket.write("nonsense\r\n\r\n");
  const before = world.socket.bytesRead;
  world.kernel.move(link, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nmoved", true);
  expect(await readAll(world.socket)).toMatch(/^HTTP\/1.1 200.*movedHTTP\/1.1 400 /s);
  expect(before).toBeLessThan(world.socket.bytesRead);
});

test("links are closed that were not used, before their server would", async () => {
  await using stack = new AsyncDisposableStack();
  const answer = "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\nok";
  const world = await SwitchedWorld.open(stack, { mostLinks: 4, idleMs: 30_000 }, answer);
  await expect.poll(() => world.kernel.links.size, { timeout: 5_000 }).toBe(0);
  expect([...world.kernel.pools.values()].flat()).toEqual([]);
});

test("links of an endpoint that is gone are closed, busy ones when they are idle", async () => {
  await using stack = new AsyncDisposableStack();
  const world = await SwitchedWorld.open(stack);
  const link = await world.take(held);
  world.relay.setPolicy({ [setName]: [] });
  world.socket.write(get); // waits
  world.kernel.move(link, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nmoved", true);
  expect(await readUntil(world.socket, "no endpoint")).toMatch(/^HTTP\/1.1 200.*moved.*503/s);
  await expect.poll(() => world.kernel.links.size, { timeout: 5_000 }).toBe(0);
});

test("an offer to change the protocol waits, too, and nothing is handed back from then on", async () => {
  await using stack = new AsyncDisposableStack();
  const world = await SwitchedWorld.open(stack);
  const { kernel, socket } = world;
  const link = await world.take(held);
  socket.write("GET / HTTP/1.1\r\nHost: web\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  kernel.move(link, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nmoved", true);
  expect(await readUntil(socket, "ok")).toMatch(/moved.*ok$/s);
  expect(kernel.handbacks.has(caller)).toBe(false);
});

test("when the relay ends in order, an answer that programs have under way is delivered first", async () => {
  await using stack = new AsyncDisposableStack();
  const world = await SwitchedWorld.open(stack);
  const link = await world.take(held);
  const closed = world.relay.core.close(5_000);
  expect(world.kernel.handbacks.get(caller)?.read).not.toBe(2 * get.length);
  world.kernel.move(link, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nmoved", true);
  expect(await readAll(world.socket)).toMatch(/moved$/);
  world.socket.end();
  await closed;
});

test("a connection that programs do not look at is the relay's alone after some requests", async () => {
  await using stack = new AsyncDisposableStack();
  const { kernel, relay } = await SwitchedWorld.open(stack);
  relay.origins.answer = { workload, service, cookie: 78n };
  const unseen = await relay.call();
  for (let request = 0; request < 6; request++) {
    unseen.write(get);
    await readUntil(unseen, "ok");
  }
  expect([kernel.callers, kernel.homes, kernel.handbacks].map((map) => map.has(78n))).toEqual([
    false,
    false,
    false,
  ]);
});

test("when the relay ends, callers and links do, and nothing stays in maps", async () => {
  await using stack = new AsyncDisposableStack();
  const world = await SwitchedWorld.open(stack);
  await world.relay.core.close(0);
  const { kernel } = world;
  await expect.poll(() => [kernel.callers, kernel.links].map(({ size }) => size)).toEqual([0, 0]);
});
