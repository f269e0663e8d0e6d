import type { Socket } from "node:net";
import { ApplicationProtocol } from "@keelson/protos/policy";
import { expect, test } from "vitest";
import { http2Server } from "./testing/http2-peers.ts";
import { listening, RelayWorld, rawServer, readUntil, setName } from "./testing/relay-world.ts";

const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const policy = { connectionPool: { maxConnections: 1, http1MaxPendingRequests: 1, maxConcurrentStreams: 1 } };
const limited = [{ weight: 1, endpointSet: setName, policy }];

/** Answers when it is told. */
function heldServer(protocol: ApplicationProtocol, held: (() => void)[]) {
  if (protocol === ApplicationProtocol.HTTP2)
    return http2Server((stream) => {
      stream.on("error", () => undefined);
      held.push(() => stream.end("ok"));
    });
  return rawServer((socket) => socket.on("data", () => held.push(() => socket.write(ok))));
}

const protocols = [
  ["HTTP/1.1", ApplicationProtocol.HTTP],
  ["HTTP/2", ApplicationProtocol.HTTP2],
] as const;

/** What a caller sends has been decided when this resolves. */
function sender(world: RelayWorld): (request: string) => Promise<Socket> {
  let sent = 0;
  return async (request) => {
    const caller = await world.call();
    caller.write(request);
    sent++;
    await expect.poll(() => world.core.status().requests).toBe(sent);
    return caller;
  };
}

test.each(protocols)(
  "who waits for a place over %s and goes leaves the wait to the next one",
  async (_, applicationProtocol) => {
    await using stack = new AsyncDisposableStack();
    const held: (() => void)[] = [];
    const servers = { [setName]: [await listening(stack, heldServer(applicationProtocol, held))] };
    const routes = [{ route: { name: "a" }, destinations: limited }];
    const world = stack.use(await RelayWorld.start(servers, { applicationProtocol, routes }));
    const send = sender(world);
    const first = await send(get);
    await expect.poll(() => held).toHaveLength(1);
    const gone = await send(get);
    gone.resetAndDestroy();
    await expect.poll(() => world.core.status().connections).toBe(1);
    const next = await send(get);
    held[0]?.();
    expect(await readUntil(first, /ok/)).toMatch(/^HTTP\/1.1 200 /);
    await expect.poll(() => held).toHaveLength(2);
    held[1]?.();
    expect(await readUntil(next, /ok|many|most/)).toMatch(/^HTTP\/1.1 200 /);
  },
);

test("a copy that waits for a place and is given up leaves the wait to the next one", async () => {
  await using stack = new AsyncDisposableStack();
  const held: (() => void)[] = [];
  const copies = await listening(stack, heldServer(ApplicationProtocol.HTTP, held));
  const server = rawServer((socket) => socket.on("data", () => socket.write(ok)));
  const servers = { [setName]: [copies], all: [await listening(stack, server)] };
  const destinations = [{ weight: 1, endpointSet: "all" }];
  const route = { name: "a", mirrors: [{ percent: 100, destination: {} }] };
  const world = stack.use(
    await RelayWorld.start(servers, { routes: [{ route, destinations, mirrors: limited }] }),
  );
  const send = sender(world);
  await send(get);
  await expect.poll(() => held).toHaveLength(1);
  const gone = await send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n");
  gone.resetAndDestroy();
  await expect.poll(() => world.core.status().connections).toBe(1);
  await send(get);
  held[0]?.();
  await expect.poll(() => held).toHaveLength(2);
});
