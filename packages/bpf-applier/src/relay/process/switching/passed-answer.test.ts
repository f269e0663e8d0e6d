import { expect, test } from "vitest";
import { readAll, readUntil, service, workload } from "../testing/relay-world.ts";
import { caller, get, held, SwitchedWorld } from "./testing/switched-world.ts";

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
    expect(kernel.handbacks.get(caller)).toEqual({
      read: 2 * get.length,
      written: socket.bytesRead,
      taken: 1,
    });
    expect([...kernel.pools.values()]).toEqual([[link]]);
    // The relay's own two, and this one.
    const counted = {
      service,
      workload,
      route: "all",
      statusClass: 2,
      requests: 3,
      bytesReceived: 2 + 2 + 6,
    };
    expect(world.relay.core.counters.all()).toMatchObject([counted]);
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
