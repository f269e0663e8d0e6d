import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { listening, RelayWorld, rawServer, readAll, readUntil, setName } from "../testing/relay-world.ts";

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
const answer = (body: string): string => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

/** A server that says what it gets to the test, which answers. */
class Server {
  readonly connections: Socket[] = [];
  received = "";
  /** Told of each piece. */
  onBytes: (socket: Socket) => void = () => {};

  static async open(stack: AsyncDisposableStack): Promise<{ server: Server; world: RelayWorld }> {
    const server = new Server();
    const port = await listening(
      stack,
      rawServer((socket) => {
        server.connections.push(socket);
        socket.on("data", (bytes: Buffer) => {
          server.received += bytes.toString("latin1");
          server.onBytes(socket);
        });
        socket.on("end", () => socket.end());
      }),
    );
    return { server, world: stack.use(await RelayWorld.start({ [setName]: [port] })) };
  }

  async got(bytes: string): Promise<void> {
    await expect.poll(() => this.received, { timeout: 10_000 }).toBe(bytes);
  }
}

test("a pipelined request reaches its server when the one before is answered", async () => {
  await using stack = new AsyncDisposableStack();
  const { server, world } = await Server.open(stack);
  const caller = await world.call();
  const put = "PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nnew";
  caller.write(put + get("/x"));
  await server.got(put);
  server.connections[0]?.write(answer("put"));
  await server.got(put + get("/x"));
  server.connections[0]?.write(answer("new"));
  expect(await readUntil(caller, "new")).toBe(answer("put") + answer("new"));
  expect(server.connections).toHaveLength(1);
});

test("thousands are answered in their order, over one connection", async () => {
  await using stack = new AsyncDisposableStack();
  const { server, world } = await Server.open(stack);
  const paths = Array.from({ length: 3000 }, (_, at) => `/${at}`);
  let answered = 0;
  server.onBytes = (socket) => socket.write(answer(paths[answered++] ?? ""));
  const caller = await world.call();
  caller.write(paths.map(get).join(""));
  expect(await readUntil(caller, answer("/2999"))).toBe(paths.map(answer).join(""));
  expect(server.connections).toHaveLength(1);
});

test("what waits is not read, but for one read", async () => {
  await using stack = new AsyncDisposableStack();
  const { server, world } = await Server.open(stack);
  const caller = await world.call();
  caller.write(get("/").repeat(1_000_000));
  for (let answered = 0; answered < 5; answered++) {
    await server.got(get("/").repeat(answered + 1));
    server.connections[0]?.write(answer("ok"));
    await readUntil(caller, "ok");
  }
  await server.got(get("/").repeat(6));
  expect(world.core.status().requests).toBe(6);
  expect(caller.writableLength).toBeGreaterThan(0);
});

test.each([1, 2, 3, 4, 5, 7, 50, 10_000])("requests in pieces of %d bytes are told apart", async (size) => {
  await using stack = new AsyncDisposableStack();
  let underWay = 0;
  const seen: string[] = [];
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    underWay++;
    const body = await text(request);
    seen.push(`${request.method} ${body} ${request.trailers["x"] ?? ""} ${underWay}`);
    setImmediate(() => {
      underWay--;
      response.end(`<${seen.length}>`);
    });
  };
  const server = createServer((request, response) => void respond(request, response));
  const port = await listening(stack, server);
  const world = stack.use(await RelayWorld.start({ [setName]: [port] }));
  const caller = await world.call();
  caller.setNoDelay();
  const post = "POST / HTTP/1.1\r\nHost: a\r\n";
  const all = [
    get("/1"),
    `${post}Content-Length: 6\r\n\r\n\r\n\r\nab`,
    `${post}Transfer-Encoding: chunked\r\n\r\n6\r\n\r\n\r\n\r\n\r\n1\r\nc\r\n0\r\n\r\n`,
    `${post}Transfer-Encoding: chunked\r\nTrailer: X\r\n\r\n1\r\nd\r\n0\r\nX: y\r\n\r\n`,
    get("/2"),
    `${post}Content-Length: 1\r\n\r\nx`,
    get("/3"),
  ].join("");
  const answers = readUntil(caller, "<7>");
  for (let at = 0; at < all.length; at += size) {
    await new Promise((resolve) => caller.write(all.slice(at, at + size), resolve));
    await new Promise((resolve) => setImmediate(resolve)); // the relay reads in this process, too
  }
  expect((await answers).match(/<\d>/g)?.join("")).toBe("<1><2><3><4><5><6><7>");
  const bodies = [
    "GET  ",
    "POST \r\n\r\nab ",
    "POST \r\n\r\n\r\nc ",
    "POST d y",
    "GET  ",
    "POST x ",
    "GET  ",
  ];
  expect(seen).toEqual(bodies.map((one) => `${one} 1`));
});

test.each([
  ["CONNECT", "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", 405],
  ["a malformed request", "G(T / HTTP/1.1\r\n\r\n", 400],
  ["one without Host", "GET / HTTP/1.1\r\n\r\n", 400],
])("%s behind another one is refused behind its answer, and the last", async (_, last, status) => {
  await using stack = new AsyncDisposableStack();
  const { server, world } = await Server.open(stack);
  const caller = await world.call();
  caller.write(get("/slow") + last + get("/never"));
  await server.got(get("/slow"));
  server.connections[0]?.write(answer("slow"));
  const said = await readAll(caller);
  expect(said.slice(0, answer("slow").length)).toBe(answer("slow"));
  expect(said.slice(answer("slow").length)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(server.received).toBe(get("/slow"));
});

test("an offer to change the protocol waits for the answer before it, and what came behind it goes on", async () => {
  await using stack = new AsyncDisposableStack();
  const { server, world } = await Server.open(stack);
  const caller = await world.call();
  const offer = "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
  caller.write(`${get("/slow")}${offer}first\r\n\r\nbytes`);
  await server.got(get("/slow"));
  server.connections[0]?.write(answer("slow"));
  await server.got(get("/slow") + offer);
  const agreed = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
  server.connections[0]?.write(agreed);
  await server.got(`${get("/slow")}${offer}first\r\n\r\nbytes`);
  server.connections[0]?.write("theirs");
  expect(await readUntil(caller, "theirs")).toBe(`${answer("slow")}${agreed}theirs`);
});

test("what comes behind an offer that is passed over is answered", async () => {
  await using stack = new AsyncDisposableStack();
  const { server, world } = await Server.open(stack);
  server.onBytes = (socket) => socket.write(answer(server.received.endsWith(get("/b")) ? "b" : "a"));
  const caller = await world.call();
  caller.write(`GET /a HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n${get("/b")}`);
  expect(await readUntil(caller, answer("b"))).toBe(answer("a") + answer("b"));
});

test("a caller that says no more behind its requests gets all answers, and the end", async () => {
  await using stack = new AsyncDisposableStack();
  const { server, world } = await Server.open(stack);
  server.onBytes = (socket) => socket.write(answer("ok"));
  const caller = await world.call();
  caller.end(get("/").repeat(3));
  expect(await readAll(caller)).toBe(answer("ok").repeat(3));
});

test("nothing behind a request that is to be the last is carried out", async () => {
  await using stack = new AsyncDisposableStack();
  const { server, world } = await Server.open(stack);
  server.onBytes = (socket) => socket.write(answer("ok"));
  const caller = await world.call();
  caller.write(`GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n${get("/never")}`);
  expect(await readAll(caller)).toMatch(/Connection: close\r\n\r\nok$/);
  expect(server.received).not.toContain("never");
});
