import { ApplicationProtocol } from "@keelson/protos/policy";
import { expect, test } from "vitest";
import { listening, RelayWorld, rawServer, readAll, readUntil, setName } from "./testing/relay-world.ts";

/** A relay before a server of HTTP/1.1 that begins where nobody asks for a while. */
async function open(
  stack: AsyncDisposableStack,
  applicationProtocol: ApplicationProtocol,
  times: { readonly headMs: number; readonly idleMs: number },
): Promise<RelayWorld> {
  const server = rawServer((socket) => {
    const greeting = setTimeout(() => socket.write("220 mail\r\n"), 50);
    socket.once("close", () => clearTimeout(greeting));
    socket.on("data", () => {
      clearTimeout(greeting);
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    });
  });
  const servers = { [setName]: [await listening(stack, server)] };
  const heads = { timeMs: times.headMs, unfinished: 1e9 };
  return stack.use(await RelayWorld.start(servers, { applicationProtocol }, { heads, idleMs: times.idleMs }));
}

const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

test.each([
  ["a method", ApplicationProtocol.HTTP, "GET"],
  ["one byte", ApplicationProtocol.GRPC, "P"],
  ["a preface", ApplicationProtocol.HTTP2, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r"],
  ["a TLS record", ApplicationProtocol.TLS, "\x16"],
])("first bytes that do not go on to tell what is spoken have a time: %s", async (_, protocol, begun) => {
  await using stack = new AsyncDisposableStack();
  const world = await open(stack, protocol, { headMs: 300, idleMs: 60_000 });
  const silent = await world.call();
  const caller = await world.call();
  caller.write(begun, "latin1");
  expect(await readAll(caller)).toBe("");
  await expect.poll(() => world.core.status().connections).toBe(1);
  silent.write(get);
  await expect.poll(() => world.core.status().requests).toBe(protocol === ApplicationProtocol.TLS ? 0 : 1);
});

test("first bytes that come in time tell what is spoken, however slowly, and then have no limit", async () => {
  await using stack = new AsyncDisposableStack();
  const world = await open(stack, ApplicationProtocol.HTTP, { headMs: 400, idleMs: 600 });
  const caller = await world.call();
  for (const byte of ["G", "E"]) {
    caller.write(byte);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  caller.write(get.slice(2));
  expect(await readUntil(caller, "ok")).toMatch(/^HTTP\/1.1 200 /);
  // By then one that came later, and says nothing, is gone.
  expect(await readAll(await world.call())).toBe("");
  caller.write(get);
  expect(await readUntil(caller, "ok")).toMatch(/^HTTP\/1.1 200 /);
});

test.each([
  ["TCP", ApplicationProtocol.TCP],
  ["unknown", ApplicationProtocol.UNSPECIFIED],
])("who waits for a server that begins may wait: %s", async (_, protocol) => {
  await using stack = new AsyncDisposableStack();
  const world = await open(stack, protocol, { headMs: 200, idleMs: 200 });
  const caller = await world.call();
  expect(await readUntil(caller, "\r\n")).toBe("220 mail\r\n");
  await new Promise((resolve) => setTimeout(resolve, 400));
  caller.write("x");
  expect(await readUntil(caller, "ok")).toMatch(/^HTTP/);
});
