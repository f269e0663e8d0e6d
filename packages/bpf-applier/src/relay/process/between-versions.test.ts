import { createServer } from "node:http";
import type { ClientHttp2Session } from "node:http2";
import { ApplicationProtocol } from "@keelson/protos/policy";
import { describe, expect, test } from "vitest";
import { ask, framedServer, http2Server, session } from "./testing/http2-peers.ts";
import {
  listening,
  RelayWorld,
  rawServer,
  readAll,
  readUntil,
  routeTo,
  setName,
} from "./testing/relay-world.ts";

const http2Port = { applicationProtocol: ApplicationProtocol.HTTP2 };

/** A relay before a server of HTTP/1.1 that answers each request with a text, and a caller that speaks HTTP/2. */
async function answering(stack: AsyncDisposableStack, answer: string): Promise<ClientHttp2Session> {
  const port = await listening(
    stack,
    rawServer((socket) => socket.on("data", () => socket.write(answer))),
  );
  return session(stack, stack.use(await RelayWorld.start({ [setName]: [port] })));
}

describe("an answer of HTTP/1.1 to a caller of HTTP/2", () => {
  test("fields of the server's connection end at the relay, also among trailers", async () => {
    await using stack = new AsyncDisposableStack();
    const trailers =
      "Connection: close\r\nTransfer-Encoding: x\r\nTE: trailers\r\nconstructor: c\r\nSum: 5\r\n";
    const caller = await answering(
      stack,
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n${trailers}\r\n`,
    );
    const { headers, body, trailers: got } = await ask(caller, { ":path": "/" });
    expect([headers[":status"], body]).toEqual([200, "ok"]);
    expect(Object.entries(got)).toEqual([
      ["constructor", "c"],
      ["sum", "5"],
    ]);
  });

  test("fields that have one value, and came with two, arrive with both", async () => {
    await using stack = new AsyncDisposableStack();
    const twice = "Content-Location: /a\r\nContent-Location: /b\r\n";
    const caller = await answering(stack, `HTTP/1.1 200 OK\r\n${twice}Content-Length: 2\r\n\r\nok`);
    const stream = caller.request({ ":path": "/" });
    const raw = await new Promise<string[]>((resolve) =>
      stream.once("response", (_head, _flags, fields?: string[]) => resolve(fields ?? [])),
    );
    expect(raw.filter((_, at) => raw[at - 1] === "content-location")).toEqual(["/a", "/b"]);
  });

  test("1xx pass without fields of the server's connection", async () => {
    await using stack = new AsyncDisposableStack();
    const early =
      "HTTP/1.1 103 Early Hints\r\nConnection: x\r\nX: y\r\nContent-Length: 0\r\nLink: </a>\r\n\r\n";
    const caller = await answering(stack, `${early}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`);
    const stream = caller.request({ ":path": "/" });
    const informed: unknown[] = [];
    stream.on("headers", (headers) => informed.push(Object.entries(headers)));
    const head = await new Promise<unknown>((resolve) => stream.once("response", resolve));
    expect(head).toMatchObject({ ":status": 200 });
    expect(informed).toEqual([
      [
        [":status", 103],
        ["link", "</a>"],
      ],
    ]);
  });
});

test("trailers of a request of HTTP/1.1 to a server of HTTP/2: fields of the caller's connection end at the relay", async () => {
  await using stack = new AsyncDisposableStack();
  let got: unknown;
  const server = http2Server((stream) => {
    stream.on("trailers", (trailers) => {
      got = Object.entries(trailers);
    });
    stream.resume();
    stream.on("end", () => {
      stream.respond({ ":status": 200 });
      stream.end("ok");
    });
  });
  const world = stack.use(await RelayWorld.start({ [setName]: [await listening(stack, server)] }, http2Port));
  const caller = await world.call();
  const head = "POST / HTTP/1.1\r\nHost: a\r\nTE: Trailers\r\nTransfer-Encoding: chunked\r\n\r\n";
  caller.write(`${head}2\r\nhi\r\n0\r\nConnection: close\r\nSum: 5\r\n\r\n`);
  expect(await readUntil(caller, "0\r\n\r\n")).toMatch(/^HTTP\/1.1 200 .*ok/s);
  expect(got).toEqual([["sum", "5"]]);
});

describe("an answer of HTTP/2", () => {
  test("has fields twice that have one value: a caller of HTTP/2 gets them", async () => {
    await using stack = new AsyncDisposableStack();
    const head = [
      [":status", "200"],
      ["x-content-type-options", "nosniff"],
      ["x-content-type-options", "nosniff"],
    ] as const;
    const server = framedServer(() => ({ heads: [head], body: "ok", trailers: undefined }));
    const port = await listening(stack, server);
    const caller = session(stack, stack.use(await RelayWorld.start({ [setName]: [port] }, http2Port)));
    expect(await ask(caller, { ":path": "/" })).toMatchObject({ headers: { ":status": 200 }, body: "ok" });
  });

  test("announces trailers, and has a length: a caller of HTTP/1.1 gets it", async () => {
    await using stack = new AsyncDisposableStack();
    const server = http2Server((stream) => {
      stream.respond({ ":status": 200, trailer: "sum", "content-length": "2" });
      stream.end("ok");
    });
    const world = stack.use(
      await RelayWorld.start({ [setName]: [await listening(stack, server)] }, http2Port),
    );
    const caller = await world.call();
    caller.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(await readUntil(caller, "ok")).toMatch(/^HTTP\/1.1 200 OK\r\ncontent-length: 2\r\n/);
  });
});

test("a caller of HTTP/2 that gives up in the middle of its body, without an error, ends its request", async () => {
  await using stack = new AsyncDisposableStack();
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  let answer = (): void => undefined;
  const port = await listening(
    stack,
    rawServer((socket) => {
      socket.pause();
      answer = () => {
        socket.write("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
        socket.resume(); // else its end would not be seen
      };
      socket.on("close", () => resolve());
    }),
  );
  const world = stack.use(await RelayWorld.start({ [setName]: [port] }));
  const caller = session(stack, world);
  const stream = caller.request({ ":path": "/", ":method": "POST" });
  stream.on("error", () => undefined);
  const chunk = Buffer.alloc(65_536);
  let sent = 0;
  const fill = (): void => {
    sent++;
    while (stream.write(chunk)) sent++;
  };
  stream.on("drain", fill);
  fill();
  // Neither the server nor the relay reads on: nothing more is taken.
  let before = 0;
  const takes = (): boolean => {
    const was = before;
    before = sent;
    return was !== sent;
  };
  await expect.poll(takes, { interval: 300, timeout: 20_000 }).toBe(false);
  stream.close(0);
  await new Promise((done) => caller.ping(done)); // the relay has read what came before it
  answer();
  await ended;
});

describe("a rule makes a header of answers that HTTP does not allow: the caller's connection or stream ends, no other", () => {
  const responseHeaders = { set: { "x-made": "a\r\nb: c" } };
  const routes = [routeTo(setName, { route: { name: "all", responseHeaders } })];

  test.each([
    ["1.1", "1.1"],
    ["1.1", "2"],
    ["2", "1.1"],
    ["2", "2"],
  ])("a server of HTTP/%s, a caller of HTTP/%s", async (server, caller) => {
    await using stack = new AsyncDisposableStack();
    const port = await listening(
      stack,
      server === "2"
        ? http2Server((stream) => {
            stream.respond({ ":status": 200 });
            stream.end("ok");
          })
        : createServer((_request, response) => response.end("ok")),
    );
    const world = stack.use(
      await RelayWorld.start({ [setName]: [port] }, { ...(server === "2" && http2Port), routes }),
    );
    for (let request = 0; request < 2; request++) {
      if (caller === "2") {
        const { code, headers } = await ask(session(stack, world), { ":path": "/" });
        expect(headers).toEqual({});
        expect(code).not.toBe(0);
      } else {
        const socket = await world.call();
        socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        expect(await readAll(socket)).toBe("");
      }
    }
  });

  test("an offer to change the protocol", async () => {
    await using stack = new AsyncDisposableStack();
    const port = await listening(
      stack,
      rawServer((socket) =>
        socket.once("data", () =>
          socket.write("HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"),
        ),
      ),
    );
    const world = stack.use(await RelayWorld.start({ [setName]: [port] }, { routes }));
    const caller = await world.call();
    caller.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
    expect(await readAll(caller)).toBe("");
  });

  test("one of the request, to a server of HTTP/2: 500", async () => {
    await using stack = new AsyncDisposableStack();
    const server = http2Server((stream) => stream.respond({ ":status": 200 }, { endStream: true }));
    const requestHeaders = { set: { "x-made": "a\r\nb: c" } };
    const world = stack.use(
      await RelayWorld.start(
        { [setName]: [await listening(stack, server)] },
        { ...http2Port, routes: [routeTo(setName, { route: { name: "all", requestHeaders } })] },
      ),
    );
    expect(await ask(session(stack, world), { ":path": "/" })).toMatchObject({
      headers: { ":status": 500 },
    });
  });
});

test.each(["1.1", "2"])(
  "a rule makes a target that would be two requests, to a server of HTTP/%s: 500",
  async (version) => {
    await using stack = new AsyncDisposableStack();
    let requests = 0;
    const server = version === "2" ? http2Server(() => requests++) : createServer(() => requests++);
    const route = { name: "all", rewrite: { uri: "/a HTTP/1.1\r\nHost: b\r\n\r\nGET /c" } };
    const world = stack.use(
      await RelayWorld.start(
        { [setName]: [await listening(stack, server)] },
        { ...(version === "2" && http2Port), routes: [routeTo(setName, { route })] },
      ),
    );
    const caller = await world.call();
    caller.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(await readUntil(caller, /sent$/)).toMatch(/^HTTP\/1.1 500 /);
    expect(requests).toBe(0);
  },
);
