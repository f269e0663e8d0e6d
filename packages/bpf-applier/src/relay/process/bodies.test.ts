import { createHash } from "node:crypto";
import { createServer, request } from "node:http";
import { PassThrough, Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { expect, test } from "vitest";
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

const mebibyte = 1_048_576;
const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** Bytes that no repetition hides in, in pieces of odd sizes. */
function* noise(size: number): Generator<Buffer> {
  let state = 1;
  for (let left = size; left > 0; ) {
    const piece = Buffer.alloc(Math.min(left, 1 + ((state >>> 3) % 50_000)));
    for (let at = 0; at < piece.length; at += 4) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      piece[at] = state >>> 24;
    }
    left -= piece.length;
    yield piece;
  }
}

const digestOf = (pieces: Iterable<Buffer>): string => {
  const hash = createHash("sha256");
  for (const piece of pieces) hash.update(piece);
  return hash.digest("hex");
};

/** Passes on what comes, slowly. */
const slow = (): Transform =>
  new Transform({
    highWaterMark: 1024,
    transform(chunk: Buffer, _, done) {
      setImmediate(() => done(null, chunk));
    },
  });

test.each([
  ["of known length", true],
  ["in chunks", false],
])("bodies %s arrive whole, both ways, at a reader that is slow, and do not pile up", async (_, known) => {
  await using stack = new AsyncDisposableStack();
  const size = 8 * mebibyte;
  const echo = createServer((incoming, response) => {
    if (known) response.setHeader("content-length", size);
    pipeline(incoming, slow(), response).catch(() => response.destroy());
  });
  const port = await listening(stack, echo);
  const world = stack.use(await RelayWorld.start({ [setName]: [port] }));
  const headers = known ? { "content-length": size } : {};
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const outgoing = request({ port: world.port, method: "POST", headers, agent: false }, (answer) => {
    const hash = createHash("sha256");
    pipeline(answer, slow(), new PassThrough(), hash)
      .then(() => resolve(hash.digest("hex")))
      .catch(reject);
  });
  await pipeline(Readable.from(noise(size), { objectMode: false }), outgoing);
  expect(await promise).toBe(digestOf(noise(size)));
  const [counts] = world.core.counters.all();
  expect(counts).toMatchObject({ requests: 1, bytesSent: size, bytesReceived: size });
});

test("a caller that reads nothing makes the relay hold little of an answer", async () => {
  await using stack = new AsyncDisposableStack();
  const size = 64 * mebibyte;
  let sent = 0;
  const port = await listening(
    stack,
    createServer((_, response) => {
      response.setHeader("content-length", size);
      const source = Readable.from(noise(size), { objectMode: false });
      source.on("data", (chunk: Buffer) => {
        sent += chunk.length;
      });
      source.pipe(response);
    }),
  );
  const world = stack.use(await RelayWorld.start({ [setName]: [port] }));
  const caller = await world.call();
  caller.pause();
  caller.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  // What goes on stops when all buffers are full: the kernel's (a few MiB) and the relay's.
  let before = -1;
  await expect
    .poll(
      () => {
        const stands = sent === before && sent > 0;
        before = sent;
        return stands;
      },
      { interval: 200 },
    )
    .toBe(true);
  expect(sent).toBeLessThan(32 * mebibyte);
});

test("trailers of a request arrive", async () => {
  await using stack = new AsyncDisposableStack();
  const { promise, resolve } = Promise.withResolvers<string[]>();
  const port = await listening(
    stack,
    createServer((incoming, response) => {
      incoming.resume().on("end", () => {
        resolve(incoming.rawTrailers);
        response.end();
      });
    }),
  );
  const world = stack.use(await RelayWorld.start({ [setName]: [port] }));
  const caller = await world.call();
  caller.write(
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n1\r\na\r\n0\r\nX-Sum: 9\r\n\r\n",
  );
  expect(await promise).toEqual(["X-Sum", "9"]);
});

test("an answer that comes before the request is whole is passed on, and ends the server's connection", async () => {
  await using stack = new AsyncDisposableStack();
  let open = 0;
  const port = await listening(
    stack,
    rawServer((socket) => {
      open++;
      socket.on("close", () => open--);
      socket.once("data", () => socket.write("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"));
      socket.on("end", () => socket.end());
    }),
  );
  const world = stack.use(await RelayWorld.start({ [setName]: [port] }));
  const caller = await world.call();
  caller.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\npart");
  expect(await readUntil(caller, "\r\n\r\n")).toMatch(/^HTTP\/1.1 413 /);
  await expect.poll(() => open).toBe(0);
});

test.each(["websocket", "SPDY/3.1"])(
  "%s: bytes go both ways once the server has agreed, and each end ends the other",
  async (protocol) => {
    await using stack = new AsyncDisposableStack();
    const handshake = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\nX: y\r\n\r\n`;
    let head = "";
    const port = await listening(
      stack,
      rawServer((socket) => {
        socket.once("data", (chunk: Buffer) => {
          head = chunk.toString();
          socket.write(`${handshake}first`);
          socket.on("data", (more: Buffer) => socket.write(`<${more.toString()}>`));
          socket.on("end", () => socket.end("last"));
        });
      }),
    );
    const world = stack.use(await RelayWorld.start({ [setName]: [port] }));
    const caller = await world.call();
    const asked = `GET / HTTP/1.1\r\nHost: a\r\nUpgrade: ${protocol}\r\nConnection: Upgrade\r\nX-Key: k\r\n\r\n`;
    caller.write(asked);
    expect(await readUntil(caller, "first")).toBe(`${handshake}first`);
    expect(head).toBe(asked);
    caller.write("ping");
    expect(await readUntil(caller, ">")).toBe("<ping>");
    caller.end();
    expect(await readAll(caller)).toBe("last");
    await expect.poll(() => world.core.counters.all()).toMatchObject([{ statusClass: 1, requests: 1 }]);
  },
);

test("a WebSocket that the server does not want is answered, and the connection ends", async () => {
  await using stack = new AsyncDisposableStack();
  const port = await listening(
    stack,
    createServer((_, response) => response.writeHead(403, { "content-length": 2 }).end("no")),
  );
  const world = stack.use(await RelayWorld.start({ [setName]: [port] }));
  const caller = await world.call();
  caller.write("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
  expect(await readAll(caller)).toMatch(/^HTTP\/1.1 403 Forbidden\r\n.*\r\n\r\nno$/s);
});

test.each([
  ["a length", "Content-Length: 5\r\n\r\n", "hello"],
  ["chunks", "Transfer-Encoding: chunked\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n"],
])("an offer of another protocol with a body of %s is passed over, the body is not", async (_, end, body) => {
  await using stack = new AsyncDisposableStack();
  const { received, port } = await collecting(stack, (text) => ok.repeat(text.split(body).length - 1));
  const world = stack.use(await RelayWorld.start({ [setName]: [port] }));
  const caller = await world.call();
  const start = "POST / HTTP/1.1\r\nHost: a\r\n";
  for (let round = 1; round <= 2; round++) {
    caller.write(`${start}Connection: Upgrade\r\nUpgrade: foo\r\n${end}${body}`);
    expect(await readUntil(caller, "ok")).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(received[0]).toBe(`${start}${end}${body}`.repeat(round));
  }
});

test("an offer of HTTP/2 is passed over", async () => {
  await using stack = new AsyncDisposableStack();
  const { received, port } = await scripted(stack, ok);
  const world = stack.use(await RelayWorld.start({ [setName]: [port] }));
  const caller = await world.call();
  for (let round = 0; round < 2; round++) {
    caller.write(
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n",
    );
    expect(await readUntil(caller, "ok")).toMatch(/^HTTP\/1.1 200 OK\r\n/);
  }
  expect(received).toEqual(["GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2)]);
});
