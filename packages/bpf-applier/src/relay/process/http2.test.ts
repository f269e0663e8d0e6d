import { createServer } from "node:http";
import { constants, createServer as createHttp2Server } from "node:http2";
import { ApplicationProtocol } from "@keelson/protos/policy";
import { expect, test } from "vitest";
import { ask, http2Server, session } from "./testing/http2-peers.ts";
import { listening, RelayWorld, rawServer, readAll, readUntil, setName } from "./testing/relay-world.ts";

const http2Port = { applicationProtocol: ApplicationProtocol.HTTP2 };

test("HTTP/2 to an HTTP/2 port: many requests at once on one connection to the server, bodies and trailers", async () => {
  await using stack = new AsyncDisposableStack();
  let connections = 0;
  const server = http2Server((stream, headers) => {
    stream.respond(
      { ":status": 200, "x-path": String(headers[":path"]), "x-host": String(headers[":authority"]) },
      { waitForTrailers: true },
    );
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.pipe(stream);
  });
  server.on("connection", () => connections++);
  const world = stack.use(await RelayWorld.start({ [setName]: [await listening(stack, server)] }, http2Port));
  const caller = session(stack, world);
  const bodies = Array.from({ length: 20 }, (_, n) => String(n).repeat(50_000));
  const answers = await Promise.all(
    bodies.map((body, n) => ask(caller, { ":method": "POST", ":path": `/${n}`, ":authority": "web" }, body)),
  );
  expect(answers.map(({ body }) => body)).toEqual(bodies);
  expect(answers[3]).toMatchObject({
    headers: { ":status": 200, "x-path": "/3", "x-host": "web" },
    trailers: { "grpc-status": "0" },
    code: 0,
  });
  expect(connections).toBe(1);
  const [counts] = world.core.counters.all();
  expect(counts).toMatchObject({ requests: 20, statusClass: 2 });
});

test("an answer of trailers alone, and a reset, arrive as such", async () => {
  await using stack = new AsyncDisposableStack();
  const server = http2Server((stream, headers) => {
    if (headers[":path"] === "/alone")
      stream.respond({ ":status": 200, "grpc-status": "5" }, { endStream: true });
    else stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  });
  const world = stack.use(await RelayWorld.start({ [setName]: [await listening(stack, server)] }, http2Port));
  const caller = session(stack, world);
  expect(await ask(caller, { ":path": "/alone" })).toMatchObject({
    headers: { "grpc-status": "5" },
    body: "",
    code: 0,
  });
  const { code } = await ask(caller, { ":path": "/reset" });
  expect(code).not.toBe(0);
  // The caller's connection goes on.
  expect(await ask(caller, { ":path": "/alone" })).toMatchObject({ code: 0 });
});

test("a caller that resets its stream ends the server's", async () => {
  await using stack = new AsyncDisposableStack();
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const server = http2Server((stream) => {
    stream.on("close", () => resolve());
    begin();
  });
  const world = stack.use(await RelayWorld.start({ [setName]: [await listening(stack, server)] }, http2Port));
  const stream = session(stack, world).request({ ":path": "/" });
  stream.on("error", () => undefined);
  await begun;
  stream.close(constants.NGHTTP2_CANCEL);
  await ended;
});

test("HTTP/2 to an HTTP port: the server speaks HTTP/1.1", async () => {
  await using stack = new AsyncDisposableStack();
  const heads: string[] = [];
  const server = createServer((request, response) => {
    heads.push(`${request.httpVersion} ${request.headers.host ?? ""} ${request.headers.cookie ?? ""}`);
    request.pipe(response);
  });
  const world = stack.use(await RelayWorld.start({ [setName]: [await listening(stack, server)] }));
  const caller = session(stack, world);
  const headers = { ":method": "POST", ":path": "/", ":authority": "web", cookie: "a=1" };
  expect(await ask(caller, headers, "echoed")).toMatchObject({ headers: { ":status": 200 }, body: "echoed" });
  expect(heads).toEqual(["1.1 web a=1"]);
  const { headers: answer } = await ask(caller, { ":path": "/x", host: "named" });
  expect(heads[1]).toBe("1.1 named ");
  expect(answer).not.toHaveProperty("connection");
  expect(answer).not.toHaveProperty("transfer-encoding");
});

test("HTTP/1.1 to an HTTP/2 port", async () => {
  await using stack = new AsyncDisposableStack();
  const server = http2Server((stream, headers) => {
    stream.respond({
      ":status": 200,
      "x-saw": `${String(headers[":authority"])} ${String(headers["x-mine"])}`,
    });
    stream.end("ok");
  });
  const world = stack.use(await RelayWorld.start({ [setName]: [await listening(stack, server)] }, http2Port));
  const caller = await world.call();
  for (let round = 0; round < 2; round++) {
    caller.write("GET / HTTP/1.1\r\nHost: web\r\nX-Mine: 1\r\nConnection: keep-alive\r\n\r\n");
    expect(await readUntil(caller, "0\r\n\r\n")).toMatch(
      /^HTTP\/1.1 200 OK\r\nx-saw: web 1\r\n.*2\r\nok\r\n0\r\n\r\n$/s,
    );
  }
});

test("a server that ends its connection in order is followed by another connection; no request is lost", async () => {
  await using stack = new AsyncDisposableStack();
  let connections = 0;
  const server = createHttp2Server();
  server.on("session", (one) => {
    connections++;
    let requests = 0;
    one.on("stream", (stream) => {
      stream.respond({ ":status": 200 });
      stream.end("ok");
      if (++requests === 5) one.close();
    });
  });
  const world = stack.use(await RelayWorld.start({ [setName]: [await listening(stack, server)] }, http2Port));
  const caller = session(stack, world);
  for (let request = 0; request < 20; request++) {
    expect(await ask(caller, { ":path": "/" })).toMatchObject({ headers: { ":status": 200 }, body: "ok" });
  }
  expect(connections).toBeGreaterThan(3);
});

test("no route, no endpoint: answers of the relay's own", async () => {
  await using stack = new AsyncDisposableStack();
  const world = stack.use(await RelayWorld.start({ [setName]: [] }, http2Port));
  const caller = session(stack, world);
  expect(await ask(caller, { ":path": "/" })).toMatchObject({
    headers: { ":status": 503 },
    body: "no endpoint",
  });
  const grpc = { ":method": "POST", ":path": "/s/m", "content-type": "application/grpc" };
  expect(await ask(caller, grpc, "x")).toMatchObject({ headers: { ":status": 200, "grpc-status": "14" } });
});

test("what claims to be HTTP/2 and is not ends the connection", async () => {
  await using stack = new AsyncDisposableStack();
  const port = await listening(
    stack,
    rawServer(() => undefined),
  );
  const world = stack.use(await RelayWorld.start({ [setName]: [port] }, http2Port));
  const caller = await world.call();
  caller.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nno frames at all, just text that goes on and on");
  await readAll(caller);
  expect(world.core.status().requests).toBe(0);
});

test("an answer that HTTP/2 does not allow ends its stream and nothing else", async () => {
  await using stack = new AsyncDisposableStack();
  let odd = true;
  const port = await listening(
    stack,
    rawServer((socket) => {
      const more = "Content-Type: a\r\nContent-Type: b\r\nContent-Location: /\r\nContent-Location: /\r\n";
      socket.on("data", () =>
        socket.write(`HTTP/1.1 200 OK\r\n${odd ? more : ""}Content-Length: 2\r\n\r\nok`),
      );
    }),
  );
  const world = stack.use(await RelayWorld.start({ [setName]: [port] }));
  const caller = session(stack, world);
  const { headers, code } = await ask(caller, { ":path": "/" });
  expect(headers[":status"] === 200 || headers[":status"] === 502 || code !== 0).toBe(true);
  odd = false;
  expect(await ask(caller, { ":path": "/" })).toMatchObject({ headers: { ":status": 200 }, body: "ok" });
});
