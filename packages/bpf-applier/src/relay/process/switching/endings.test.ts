import { once } from "node:events";
import { expect, test } from "vitest";
import { readAll, readUntil, setName } from "../testing/relay-world.ts";
import { caller, get, held, SwitchedWorld } from "./testing/switched-world.ts";

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
  world.kernel.lookAt(caller);
  world.socket.write(get);
  await readUntil(world.socket, "ok");
  await expect.poll(() => world.kernel.links.size).toBe(1);
  const ended = once(world.linkEnd, "end");
  world.linkEnd.write("HTTP/1.1 408 Request Timeout\r\n\r\n");
  for (const link of world.kernel.links.keys()) world.kernel.tell(link);
  await ended;
  await expect.poll(() => world.kernel.links.size).toBe(0);
  expect(world.socket.destroyed).toBe(false);
});

test("bytes behind what was moved of an answer end both connections", async () => {
  await using stack = new AsyncDisposableStack();
  const world = await SwitchedWorld.open(stack);
  const link = await world.take(held);
  world.kernel.move(link, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nmov", false);
  world.kernel.pass(link);
  Object.assign(world.kernel.links.get(link) ?? {}, { left: 3 });
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

test("when the relay ends, callers and links do, and nothing stays in maps", async () => {
  await using stack = new AsyncDisposableStack();
  const world = await SwitchedWorld.open(stack);
  await world.relay.core.close(0);
  const { kernel } = world;
  await expect.poll(() => [kernel.callers, kernel.links].map(({ size }) => size)).toEqual([0, 0]);
});
