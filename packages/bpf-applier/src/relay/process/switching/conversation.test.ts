import { expect, test, vi } from "vitest";
import { readAll, readUntil, service, workload } from "../testing/relay-world.ts";
import { caller, get, held, ok, SwitchedWorld } from "./testing/switched-world.ts";

test("after an answer the relay hands back what it has read and written, and opens one link where none was free", async () => {
  await using stack = new AsyncDisposableStack();
  const world = await SwitchedWorld.open(stack);
  const { kernel, socket } = world;
  const counts = { read: 2 * get.length, written: socket.bytesRead, taken: 0 };
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

test("nothing is handed back while requests wait behind the one that is answered", async () => {
  await using stack = new AsyncDisposableStack();
  const { kernel, socket, relay } = await SwitchedWorld.open(stack);
  await expect.poll(() => kernel.handbacks.get(caller)?.read).toBe(2 * get.length);
  const handBack = vi.spyOn(kernel, "handBack");
  const before = relay.core.status().requests;
  socket.write(get.repeat(3));
  expect((await readUntil(socket, /(ok[^]*){3}$/)).match(/ok/g)).toHaveLength(3);
  await expect.poll(() => kernel.handbacks.get(caller)?.read).toBe(5 * get.length);
  expect(relay.core.status().requests).toBe(before + 3);
  for (const [, { read }] of handBack.mock.calls) expect(read).toBe(5 * get.length);
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

test("a caller that does not read what was moved is looked at less and less, until more is moved", async () => {
  await using stack = new AsyncDisposableStack();
  const world = await SwitchedWorld.open(stack);
  const { kernel, socket } = world;
  const link = await world.take(held);
  kernel.unread.add(caller);
  socket.write(get);
  kernel.move(link, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nmoved", false);
  // Load makes pauses longer, not shorter: the shortest of many tells what was meant.
  const shortestSince = (first: number): number => {
    const looks = kernel.looks.slice(first);
    return Math.min(...looks.slice(1).map((at, index) => at - (looks[index] ?? at)));
  };
  await expect.poll(() => kernel.looks.length).toBeGreaterThan(12);
  await expect.poll(() => shortestSince(kernel.looks.length - 9), { timeout: 10_000 }).toBeGreaterThan(40);
  const before = kernel.looks.length;
  kernel.move(link, "again", true);
  // They grow again: who looks late must not miss those that were short.
  await expect.poll(() => shortestSince(before), { timeout: 10_000 }).toBeLessThan(20);
  kernel.unread.delete(caller);
  expect(await readUntil(socket, "ok")).toMatch(/movedagainHTTP.*ok$/s);
});
