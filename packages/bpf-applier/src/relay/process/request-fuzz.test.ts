import fc from "fast-check";
import { expect, test } from "vitest";
import { listening, RelayWorld, rawServer, readAll, setName } from "./testing/relay-world.ts";

/** As RFC 9112 has it, without anything that could be read in two ways. */
const strictHead =
  /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+ [\x21-\x7e\x80-\xff]+ HTTP\/1\.1\r\n(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+: [\t\x20-\x7e\x80-\xff]*\r\n)+\r\n/;

const requests = [
  "GET /a?b=c HTTP/1.1\r\nHost: web\r\nX: y\r\n\r\n",
  "POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 4\r\n\r\nbody",
  "POST / HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
  "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
];

const pieces = [
  "\r",
  "\n",
  "\r\n",
  "\0",
  ":",
  " ",
  "\t",
  "1",
  "Host: b\r\n",
  "Content-Length: 1\r\n",
  "Transfer-Encoding: x\r\n",
  "\xff",
];

test("whatever a caller sends, a server gets whole strict heads or nothing, and the relay goes on", async () => {
  await using stack = new AsyncDisposableStack();
  const received: string[] = [];
  const port = await listening(
    stack,
    rawServer((socket) => {
      let text = "";
      socket.on("data", (chunk: Buffer) => {
        text += chunk.toString("latin1");
        if (text.includes("\r\n\r\n")) socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      });
      socket.on("close", () => received.push(text));
    }),
  );
  const world = stack.use(await RelayWorld.start({ [setName]: [port] }));
  const mutation = fc.record({
    request: fc.constantFrom(...requests),
    at: fc.nat(120),
    put: fc.constantFrom(...pieces),
    drop: fc.nat(2),
  });
  await fc.assert(
    fc.asyncProperty(mutation, async ({ request, at, put, drop }) => {
      const where = at % request.length;
      // The first line stays one of a request: else the connection is carried as it is.
      const from = Math.max(where, request.indexOf("HTTP/1"));
      const caller = await world.call();
      caller.write(request.slice(0, from) + put + request.slice(from + drop), "latin1");
      caller.end();
      const answer = await readAll(caller);
      expect(answer === "" || /^HTTP\/1\.1 (200|400|404|405|431|503) /.test(answer)).toBe(true);
    }),
    { numRuns: 300 },
  );
  const heads = received.filter((text) => text !== "");
  expect(heads.length).toBeGreaterThan(20);
  for (const text of heads) expect(text).toMatch(strictHead);
});
