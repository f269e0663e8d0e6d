import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { LoadBalancer_Simple as Simple } from "@keelson/protos/traffic-policy";
import { expect, test } from "vitest";
import { listening, RelayWorld, rawServer, readAll, readUntil, setName } from "./testing/relay-world.ts";

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

/** The port of a server that answers when a request is whole. */
const serving = (stack: AsyncDisposableStack, handler: Handler): Promise<number> =>
  listening(
    stack,
    createServer((request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => {
        body += chunk.toString();
      });
      request.on("end", () => handler(request, response, body));
    }),
  );

const destinations = [{ weight: 1, endpointSet: setName }];
const get = "GET / HTTP/1.1\r\nHost: web\r\n\r\n";
const post = (body: string): string =>
  `POST / HTTP/1.1\r\nHost: web\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

async function answered(world: RelayWorld, request: string, end: string | RegExp): Promise<string> {
  const caller = await world.call();
  caller.write(request);
  return await readUntil(caller, end);
}

test("attempts that fail are followed by others, at other endpoints, with the whole body again", async () => {
  await using stack = new AsyncDisposableStack();
  const bodies: string[] = [];
  const answer =
    (status: number): Handler =>
    (_, response, body) => {
      bodies.push(`${status} ${body}`);
      response.writeHead(status).end(`from ${status}`);
    };
  const servers = [await serving(stack, answer(503)), await serving(stack, answer(200))];
  const retries = { attempts: 3, retryOn: "5xx" };
  // In turns, so that some first attempt meets the one that fails.
  const inTurns = [
    { weight: 1, endpointSet: setName, policy: { loadBalancer: { simple: Simple.ROUND_ROBIN } } },
  ];
  const routes = [{ route: { name: "a", retries }, destinations: inTurns }];
  const world = stack.use(await RelayWorld.start({ [setName]: servers }, { routes }));
  for (let round = 0; round < 4; round++) {
    expect(await answered(world, post("whole"), /0\r\n\r\n$/)).toMatch(/^HTTP\/1.1 200 OK\r\n.*from 200/s);
  }
  expect(bodies.filter((text) => text === "200 whole")).toHaveLength(4);
  expect(bodies.filter((text) => text === "503 whole").length).toBeGreaterThan(0);
});

test("an endpoint that cannot be reached is followed by another one without a rule, too", async () => {
  await using stack = new AsyncDisposableStack();
  const up = await serving(stack, (_, response) => response.end("up"));
  const world = stack.use(await RelayWorld.start({ [setName]: [1, up] }));
  for (let round = 0; round < 4; round++) {
    expect(await answered(world, get, /up|no endpoint|reached/)).toMatch(/up$/);
  }
});

test("no endpoint can be reached: 503", async () => {
  await using stack = new AsyncDisposableStack();
  const world = stack.use(await RelayWorld.start({ [setName]: [1] }));
  expect(await answered(world, get, /reached$/)).toMatch(/^HTTP\/1.1 503 .*the endpoint cannot be reached$/s);
});

test("a time limit ends a request with 504, and the server's connection", async () => {
  await using stack = new AsyncDisposableStack();
  let open = 0;
  const port = await listening(
    stack,
    rawServer((socket) => {
      socket.once("data", () => open++);
      socket.on("close", () => {
        if (socket.bytesRead > 0) open--;
      });
      socket.on("end", () => socket.end());
      socket.resume();
    }),
  );
  const routes = [{ route: { name: "a", timeoutMs: 300n }, destinations }];
  const world = stack.use(await RelayWorld.start({ [setName]: [port] }, { routes }));
  expect(await answered(world, get, /long$/)).toMatch(/^HTTP\/1.1 504 /);
  await expect.poll(() => open).toBe(0);
  expect(world.core.counters.all()).toMatchObject([
    { statusClass: 5, endpoint: `127.0.0.1:${port}`, requests: 1 },
  ]);
});

test("a limit of each attempt leads to another one", async () => {
  await using stack = new AsyncDisposableStack();
  let requests = 0;
  const port = await serving(stack, (_, response) => {
    if (++requests > 1) response.end("late");
  });
  const retries = { attempts: 2, perTryTimeoutMs: 50n, retryOn: "5xx" };
  const world = stack.use(
    await RelayWorld.start(
      { [setName]: [port] },
      { routes: [{ route: { name: "a", retries }, destinations }] },
    ),
  );
  expect(await answered(world, get, /late/)).toMatch(/^HTTP\/1.1 200 OK/);
});

test("a fault waits, or answers by itself", async () => {
  await using stack = new AsyncDisposableStack();
  const port = await serving(stack, (_, response) => response.end("ok"));
  const fault = (init: object) => [{ route: { name: "a", fault: init }, destinations }];
  const world = stack.use(
    await RelayWorld.start({ [setName]: [port] }, { routes: fault({ abortPercent: 100, httpStatus: 418 }) }),
  );
  expect(await answered(world, get, /\r\n\r\n/)).toMatch(/^HTTP\/1.1 418 /);
  world.setPolicy({ [setName]: [port] }, { routes: fault({ delayPercent: 100, delayMs: 100n }) });
  const begin = performance.now();
  expect(await answered(world, get, /ok/)).toMatch(/^HTTP\/1.1 200 /);
  expect(performance.now() - begin).toBeGreaterThanOrEqual(99);
});

test("a rule's headers and paths reach server and caller", async () => {
  await using stack = new AsyncDisposableStack();
  const port = await serving(stack, (request, response) => {
    response.setHeader("x-gone", "1");
    response.end(`${request.url ?? ""} ${String(request.headers["x-new"])} ${String(request.headers.host)}`);
  });
  const route = {
    name: "a",
    matches: [{ uri: { how: { case: "prefix" as const, value: "/old" } } }],
    rewrite: { uri: "/new", authority: "other" },
    requestHeaders: { set: { "x-new": "yes" } },
    responseHeaders: { remove: ["x-gone"], add: { "x-come": "2" } },
  };
  const world = stack.use(
    await RelayWorld.start({ [setName]: [port] }, { routes: [{ route, destinations }] }),
  );
  const answer = await answered(world, "GET /old/a?q HTTP/1.1\r\nHost: web\r\n\r\n", /other/);
  expect(answer).toMatch(/\/new\/a\?q yes other/);
  expect(answer).toMatch(/\r\nx-come: 2\r\n/);
  expect(answer).not.toMatch(/x-gone/);
});

test("copies of requests arrive whole elsewhere, and their answers nowhere", async () => {
  await using stack = new AsyncDisposableStack();
  const copies: string[] = [];
  const port = await serving(stack, (_, response) => response.end("real"));
  const shadow = await serving(stack, (request, response, body) => {
    copies.push(`${request.headers.host ?? ""} ${body}`);
    response.writeHead(500).end("shadow");
  });
  const routes = [
    {
      route: { name: "a", mirrors: [{ percent: 100, destination: {} }] },
      destinations,
      mirrors: [{ weight: 1, endpointSet: "shadow" }],
    },
  ];
  const world = stack.use(await RelayWorld.start({ [setName]: [port], shadow: [shadow] }, { routes }));
  expect(await answered(world, post("copied"), /real/)).toMatch(/^HTTP\/1.1 200 OK/);
  expect(await answered(world, get, /real/)).toMatch(/^HTTP\/1.1 200 OK/);
  await expect.poll(() => copies.toSorted()).toEqual(["web-shadow ", "web-shadow copied"]);
  expect(world.core.counters.all()).toMatchObject([{ requests: 2, statusClass: 2 }]);
});

test("after an answer that came early, the rest of the request is passed over, and the next one is answered", async () => {
  await using stack = new AsyncDisposableStack();
  const port = await listening(
    stack,
    createServer((request, response) => response.end(request.url)),
  );
  const world = stack.use(await RelayWorld.start({ [setName]: [port] }));
  const caller = await world.call();
  caller.write("POST /first HTTP/1.1\r\nHost: web\r\nContent-Length: 200000\r\n\r\npart");
  await readUntil(caller, /\/first/);
  caller.write(`${"x".repeat(199_996)}GET /second HTTP/1.1\r\nHost: web\r\n\r\n`);
  expect(await readUntil(caller, /\/second/)).toMatch(/200 OK/);
});

test("limits of connections: requests wait for one, and beyond the limit of those that wait there is 503", async () => {
  await using stack = new AsyncDisposableStack();
  const held: ServerResponse[] = [];
  let connections = 0;
  const server = createServer((_, response) => held.push(response));
  server.on("connection", () => connections++);
  const port = await listening(stack, server);
  const policy = { connectionPool: { maxConnections: 1, http1MaxPendingRequests: 1 } };
  const limited = [{ weight: 1, endpointSet: setName, policy }];
  const routes = [{ route: { name: "a", retries: { attempts: 0 } }, destinations: limited }];
  const world = stack.use(await RelayWorld.start({ [setName]: [port] }, { routes }));
  const [first, second] = [answered(world, get, /done/), answered(world, get, /done/)];
  await expect.poll(() => held.length).toBe(1);
  await expect.poll(() => world.core.status().requests).toBe(2);
  expect(await answered(world, get, /allowed$/)).toMatch(/^HTTP\/1.1 503 /);
  held[0]?.end("done");
  await expect.poll(() => held.length).toBe(2);
  held[1]?.end("done");
  expect(await first).toMatch(/ 200 OK/);
  expect(await second).toMatch(/ 200 OK/);
  expect(connections).toBe(1);
});

test("callers have connections of their own to servers", async () => {
  await using stack = new AsyncDisposableStack();
  let connections = 0;
  const server = createServer((_, response) => response.end("ok"));
  server.on("connection", () => connections++);
  const world = stack.use(await RelayWorld.start({ [setName]: [await listening(stack, server)] }));
  await answered(world, get, /ok/);
  await answered(world, get, /ok/);
  expect(connections).toBe(1);
  world.origins.answer = { workload: 8n, service: 9n, cookie: 0n };
  await answered(world, get, /ok/);
  expect(connections).toBe(2);
});

test("a relay that closes ends idle connections at once, and others behind their answer", async () => {
  await using stack = new AsyncDisposableStack();
  const held: ServerResponse[] = [];
  const port = await listening(
    stack,
    createServer((_, response) => held.push(response)),
  );
  const world = stack.use(await RelayWorld.start({ [setName]: [port] }));
  const [idle, busy] = [await world.call(), await world.call()];
  idle.write(get);
  await expect.poll(() => held.length).toBe(1);
  held[0]?.end("first");
  await readUntil(idle, /first/);
  busy.write(get);
  await expect.poll(() => held.length).toBe(2);
  const closed = world.core.close(10_000);
  expect(await readAll(idle)).toBe("");
  idle.end();
  held[1]?.end("second");
  const answer = await readAll(busy);
  busy.end();
  expect(answer).toMatch(/Connection: close\r\n.*second/s);
  await closed;
});

test.each([
  ["is none", "SSH-2.0-OpenSSH\r\n\r\n"],
  ["changes to a protocol that nobody asked for", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"],
])("an answer that %s is told as 502", async (_, answer) => {
  await using stack = new AsyncDisposableStack();
  const port = await listening(
    stack,
    rawServer((socket) => {
      socket.on("data", () => socket.write(answer));
      socket.on("end", () => socket.end());
    }),
  );
  const world = stack.use(await RelayWorld.start({ [setName]: [port] }));
  expect(await answered(world, get, /status line|asked for/)).toMatch(/^HTTP\/1.1 502 /);
});

test.each(["a\r\n\r\nGET /other HTTP/1.1", "a\u0000b"])(
  "a request that a rule spoils is not sent: %j",
  async (evil) => {
    await using stack = new AsyncDisposableStack();
    const seen: string[] = [];
    const port = await serving(stack, (request, response) => {
      seen.push(request.url ?? "");
      response.end("ok");
    });
    const requestHeaders = { set: { "x-evil": evil } };
    const routes = [{ route: { name: "a", requestHeaders }, destinations }];
    const world = stack.use(await RelayWorld.start({ [setName]: [port] }, { routes }));
    expect(await answered(world, get, /cannot be sent$/)).toMatch(/^HTTP\/1.1 500 /);
    world.setPolicy({ [setName]: [port] });
    expect(await answered(world, get, /ok/)).toMatch(/^HTTP\/1.1 200 /);
    expect(seen).toEqual(["/"]);
  },
);

test("an answer that a rule spoils ends its caller's connection, and no other", async () => {
  await using stack = new AsyncDisposableStack();
  const port = await serving(stack, (_, response) => response.end("ok"));
  const redirect = { uri: "/\u2192\r\nx", code: 302 };
  const world = stack.use(
    await RelayWorld.start(
      { [setName]: [port] },
      { routes: [{ route: { name: "a", redirect }, destinations: [] }] },
    ),
  );
  const other = await world.call();
  const caller = await world.call();
  caller.write(get);
  expect(await readAll(caller)).not.toMatch(/302/);
  world.setPolicy({ [setName]: [port] });
  other.write(get);
  expect(await readUntil(other, /ok/)).toMatch(/ 200 OK/);
});

test("a policy with a route that cannot be used is refused, and the one before holds", async () => {
  await using stack = new AsyncDisposableStack();
  const port = await serving(stack, (_, response) => response.end("still"));
  const world = stack.use(await RelayWorld.start({ [setName]: [port] }));
  const matches = [{ uri: { how: { case: "regex" as const, value: "(" } } }];
  const routes = [{ route: { name: "a", matches }, destinations }];
  expect(() => world.setPolicy({ [setName]: [] }, { routes })).toThrow("cannot be used");
  expect(await answered(world, get, /still/)).toMatch(/ 200 OK/);
});
