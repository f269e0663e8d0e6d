import { once } from "node:events";
import { connect } from "node:http2";
import { setImmediate as turn } from "node:timers/promises";
import { ApplicationProtocol } from "@keelson/protos/policy";
import { expect, test } from "vitest";
import { limitsOf } from "../policy/balancer/limits.ts";
import { DestinationLinks } from "./destination-links.ts";
import { http2Server } from "./testing/http2-peers.ts";
import { listening, RelayWorld, rawServer, readAll, readUntil, setName } from "./testing/relay-world.ts";

const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const offer = get.replace("\r\n\r\n", "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const http2Port = { applicationProtocol: ApplicationProtocol.HTTP2 };

test.each([
  ["TCP", ApplicationProtocol.TCP],
  ["unknown", ApplicationProtocol.UNSPECIFIED],
  ["HTTP", ApplicationProtocol.HTTP],
])(
  "a caller that ends without a word does so at the server, on a port of protocol %s",
  async (_, applicationProtocol) => {
    await using stack = new AsyncDisposableStack();
    const server = rawServer((socket) => socket.on("end", () => socket.end("bye")).resume());
    const servers = { [setName]: [await listening(stack, server)] };
    const world = stack.use(await RelayWorld.start(servers, { applicationProtocol }));
    const caller = await world.call();
    caller.end();
    expect(await readAll(caller)).toBe("bye");
    await expect.poll(() => world.core.status().connections).toBe(0);
  },
);

test("a caller that ends while its offer of another protocol waits does so at the server", async () => {
  await using stack = new AsyncDisposableStack();
  let asked = false;
  const server = rawServer((socket) => {
    socket.once("data", () => {
      asked = true;
    });
    socket.on("end", () => socket.end());
  });
  const world = stack.use(await RelayWorld.start({ [setName]: [await listening(stack, server)] }));
  const caller = await world.call();
  caller.write(offer);
  await expect.poll(() => asked).toBe(true);
  caller.end();
  expect(await readAll(caller)).toBe("");
});

test("an answer over HTTP/2 that its caller gives up when it has come leaves its place to the next one", async () => {
  await using stack = new AsyncDisposableStack();
  let connections = 0;
  const { promise: gone, resolve } = Promise.withResolvers<void>();
  const server = http2Server((stream, headers) => {
    stream.respond({ ":status": 200 });
    stream.end(headers[":path"] === "/long" ? Buffer.alloc(200_000) : "ok");
    if (headers[":path"] === "/long") stream.once("close", resolve);
  });
  server.on("session", () => connections++);
  server.updateSettings({ maxConcurrentStreams: 1 });
  const servers = { [setName]: [await listening(stack, server)] };
  const world = stack.use(await RelayWorld.start(servers, http2Port));
  const caller = connect(`http://127.0.0.1:${world.port}`, { settings: { initialWindowSize: 0 } });
  stack.defer(() => caller.destroy());
  const long = caller.request({ ":path": "/long" });
  long.on("error", () => undefined);
  await once(long, "response");
  await gone;
  long.destroy();
  for (let round = 0; round < 3; round++) {
    const next = await world.call();
    next.write(get);
    await readUntil(next, /ok/);
  }
  expect(connections).toBe(1);
});

test("a port whose protocol changes is spoken to in the new one by callers that it knew before", async () => {
  await using stack = new AsyncDisposableStack();
  const first: string[] = [];
  const server = rawServer((socket) =>
    socket.on("data", (bytes: Buffer) => {
      first.push(bytes.toString("latin1", 0, 3));
      socket.write(ok);
    }),
  );
  const servers = { [setName]: [await listening(stack, server)] };
  const world = stack.use(await RelayWorld.start(servers));
  const caller = await world.call();
  caller.write(get);
  await readUntil(caller, "ok");
  world.setPolicy(servers, http2Port);
  caller.write(get);
  await expect.poll(() => first.slice(0, 2)).toEqual(["GET", "PRI"]);
});

test("a connection to an endpoint that is there only when its caller's network is gone is closed", async () => {
  await using stack = new AsyncDisposableStack();
  const ends: string[] = [];
  const server = rawServer((socket) => socket.on("end", () => ends.push("end")).resume());
  const world = stack.use(await RelayWorld.start({ [setName]: [await listening(stack, server)] }));
  const caller = await world.call();
  caller.write(get);
  while (world.core.status().requests === 0) await turn();
  world.core.removeNetwork(1n);
  await expect.poll(() => ends).toEqual(["end"]);
});

test("a destination stays while a request of it stands between two attempts", () => {
  const links = new DestinationLinks(() => Promise.reject(new Error("none")), false, limitsOf(undefined));
  links.budget.requests = 1;
  expect(links.closeIdle(0)).toBe(true);
  links.budget.requests = 0;
  expect(links.closeIdle(0)).toBe(false);
});
