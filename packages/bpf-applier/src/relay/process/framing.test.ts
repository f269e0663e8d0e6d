import type { Socket } from "node:net";
import { describe, expect, test } from "vitest";
import {
  collecting,
  listening,
  RelayWorld,
  rawServer,
  readAll,
  readUntil,
  scripted,
  setName,
} from "./testing/relay-world.ts";

/** What a caller gets that sends this and then says that it sends no more. */
async function told(world: RelayWorld, port: number, request: string): Promise<string> {
  const caller = await world.call(port);
  caller.write(request, "latin1");
  const answer = readAll(caller);
  caller.end();
  return await answer;
}

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Odd_Name: a  b\r\n\r\nok";
const get = (...fields: readonly string[]): string =>
  ["GET /a?b HTTP/1.1", "hOst: web", ...fields, "", ""].join("\r\n");

describe("what a caller sees is what it sees without a relay:", () => {
  const cases: readonly (readonly [name: string, request: string, answer: string])[] = [
    ["a length", get("X-Case: kEPT"), ok],
    [
      "bytes above 0x7f in a value",
      get("X: \xe4\xff"),
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: \xe4\xff\r\n\r\n",
    ],
    ["an empty reason", get(), "HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok"],
    ["a status of its own", get(), "HTTP/1.1 299 Odd one\r\nContent-Length: 2\r\n\r\nok"],
    ["204", get(), "HTTP/1.1 204 No Content\r\nX: y\r\n\r\n"],
    ["304 with a length", get(), "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"],
    ["HEAD with a length", get().replace("GET", "HEAD"), "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"],
    ["HEAD without one", get().replace("GET", "HEAD"), "HTTP/1.1 200 OK\r\nX: y\r\n\r\n"],
    ["HEAD in chunks", get().replace("GET", "HEAD"), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"],
    [
      "fields of one name",
      get(),
      "HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nX: 1\r\nset-cookie: b\r\nContent-Length: 0\r\n\r\n",
    ],
    ["103 before the answer", get(), `HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${ok}`],
    ["chunks", get(), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"],
    [
      "trailers",
      get("TE: trailers"),
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n",
    ],
  ];
  test.each(cases)("%s", async (_name, request, answer) => {
    await using stack = new AsyncDisposableStack();
    const server = await scripted(stack, answer);
    const world = stack.use(await RelayWorld.start({ [setName]: [server.port] }));
    const direct = await told(world, server.port, request);
    expect(direct).toBe(answer);
    expect(await told(world, world.port, request)).toBe(direct);
    expect(server.received[1]).toBe(server.received[0]);
  });
});

test("an answer that ends with the connection ends so for the caller", async () => {
  await using stack = new AsyncDisposableStack();
  const server = await scripted(stack, "HTTP/1.1 200 OK\r\nX: y\r\n\r\nall of it", true);
  const world = stack.use(await RelayWorld.start({ [setName]: [server.port] }));
  const caller = await world.call();
  caller.write(get());
  expect(await readAll(caller)).toBe("HTTP/1.1 200 OK\r\nX: y\r\nConnection: close\r\n\r\nall of it");
});

test("requests reach the server in the caller's own words, without what is for one connection only", async () => {
  await using stack = new AsyncDisposableStack();
  const server = await scripted(stack, ok);
  const world = stack.use(await RelayWorld.start({ [setName]: [server.port] }));
  await told(
    world,
    world.port,
    get(
      "Connection: keep-alive, X-Mine",
      "x-mine: 1",
      "Keep-Alive: 5",
      "ACCEPT: */*",
      "Proxy-Connection: x",
      "TE: gzip",
    ),
  );
  expect(server.received).toEqual(["GET /a?b HTTP/1.1\r\nhOst: web\r\nACCEPT: */*\r\n\r\n"]);
});

describe("what could be read in two ways is refused, and no server sees it:", () => {
  const cases: readonly (readonly [name: string, request: string, status: number])[] = [
    [
      "length beside coding",
      `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ["two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na", 400],
    ["a list of lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\na", 400],
    ["a signed length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na", 400],
    [
      "a coding that does not end in chunked",
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
      400,
    ],
    ["a space before the colon", "GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n", 400],
    ["a folded field", "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n", 400],
    ["a bare LF", "GET / HTTP/1.1\nHost: a\n\n", 400],
    ["a bare CR", "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", 400],
    ["NUL", "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", 400],
    ["no Host", "GET / HTTP/1.1\r\nX: y\r\n\r\n", 400],
    ["two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400],
    ["a head that is too large", `GET / HTTP/1.1\r\nHost: a\r\nX: ${"y".repeat(70_000)}\r\n\r\n`, 431],
    ["CONNECT", "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", 405],
    ["a chunk of no length", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n", 400],
  ];
  test.each(cases)("%s", async (name, request, status) => {
    await using stack = new AsyncDisposableStack();
    const server = await scripted(stack, ok);
    const world = stack.use(await RelayWorld.start({ [setName]: [server.port] }));
    expect(await told(world, world.port, request)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    // A body is found malformed only when its head is on its way.
    if (!name.startsWith("a chunk")) expect(server.received).toEqual([]);
  });
});

test("the head of an answer without a body leaves with the bytes that came", async () => {
  await using stack = new AsyncDisposableStack();
  const answer = "HTTP/1.1 204 No Content\r\nX-Name: \xe9\r\n\r\n";
  const port = await listening(
    stack,
    rawServer((socket) => socket.on("data", () => socket.write(answer, "latin1"))),
  );
  const world = stack.use(await RelayWorld.start({ [setName]: [port] }));
  const caller = await world.call();
  caller.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  expect(await readUntil(caller, "\r\n\r\n")).toBe(answer);
});

test("HTTP/1.0: answered in its way, chunks taken apart", async () => {
  await using stack = new AsyncDisposableStack();
  const server = await scripted(
    stack,
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
  );
  const world = stack.use(await RelayWorld.start({ [setName]: [server.port] }));
  const caller = await world.call();
  caller.write("GET / HTTP/1.0\r\nHost: a\r\n\r\n");
  expect(await readAll(caller)).toBe("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc");
});

test("100-continue comes from the server, and the body follows it", async () => {
  await using stack = new AsyncDisposableStack();
  const goOn = "HTTP/1.1 100 Continue\r\n\r\n";
  const server = await collecting(stack, (received) =>
    received.endsWith("body") ? `${goOn}${ok}` : received.endsWith("\r\n\r\n") ? goOn : "",
  );
  const world = stack.use(await RelayWorld.start({ [setName]: [server.port] }));
  const caller = await world.call();
  caller.write("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  expect(await readUntil(caller, "\r\n\r\n")).toBe(goOn);
  expect(server.received[0]).toMatch(/Expect: 100-continue\r\n.*\r\n\r\n$/s);
  caller.write("body");
  expect(await readUntil(caller, "ok")).toBe(ok);
});

describe("a connection that ends:", () => {
  test("an idle one that the server has closed is replaced for a request without body", async () => {
    await using stack = new AsyncDisposableStack();
    let connections = 0;
    const port = await listening(
      stack,
      rawServer((socket) => {
        connections++;
        // The second request on a connection meets its end.
        socket.once("data", () => {
          socket.write(ok);
          socket.once("data", () => socket.destroy());
        });
      }),
    );
    const world = stack.use(await RelayWorld.start({ [setName]: [port] }));
    const caller = await world.call();
    for (let request = 0; request < 4; request++) {
      caller.write(get());
      expect(await readUntil(caller, "ok")).toBe(ok);
    }
    expect(connections).toBe(4);
    // What may not be repeated is not: its caller sees the end.
    caller.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    expect(await readAll(caller)).toBe("");
  });

  test("in the middle of an answer ends the caller's", async () => {
    await using stack = new AsyncDisposableStack();
    const server = await scripted(stack, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", true);
    const world = stack.use(await RelayWorld.start({ [setName]: [server.port] }));
    const caller = await world.call();
    caller.write(get());
    expect(await readAll(caller)).toBe("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
  });

  test.each([
    ["says no more", (caller: Socket) => void caller.end()],
    ["resets", (caller: Socket) => void caller.resetAndDestroy()],
  ])("a caller that %s ends its request at a server that takes it so", async (_, go) => {
    await using stack = new AsyncDisposableStack();
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const port = await listening(
      stack,
      rawServer((socket) => {
        socket.on("data", () => begin());
        socket.on("close", () => resolve());
        socket.on("end", () => socket.end());
      }),
    );
    const world = stack.use(await RelayWorld.start({ [setName]: [port] }));
    const caller = await world.call();
    caller.write(get());
    await begun;
    go(caller);
    await ended;
  });

  test.each([
    ["bytes behind the answer", `${ok}HTTP/1.1 200 OK\r\n`],
    ["bytes that nobody asked for", ok],
  ])("%s retire the server's, and reach nobody", async (_name, answer) => {
    await using stack = new AsyncDisposableStack();
    let connections = 0;
    let open = 0;
    const port = await listening(
      stack,
      rawServer((socket) => {
        connections++;
        open++;
        socket.on("close", () => open--);
        socket.on("end", () => socket.end());
        socket.once("data", () => {
          socket.write(answer);
          if (answer === ok)
            setImmediate(() => socket.write("HTTP/1.1 408 Late\r\nContent-Length: 0\r\n\r\n"));
        });
      }),
    );
    const world = stack.use(await RelayWorld.start({ [setName]: [port] }));
    const caller = await world.call();
    for (let request = 1; request <= 3; request++) {
      caller.write(get());
      expect(await readUntil(caller, "ok")).toBe(ok);
      await expect.poll(() => open).toBe(0);
      expect(connections).toBe(request);
    }
  });
});
