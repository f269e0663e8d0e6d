import { once } from "node:events";
import type { Socket } from "node:net";
import { create } from "@bufbuild/protobuf";
import { ApplicationProtocol, EndpointSchema } from "@keelson/protos/policy";
import { ConnectionPoolSchema } from "@keelson/protos/traffic-policy";
import { expect, test } from "vitest";
import { limitsOf } from "../policy/balancer/limits.ts";
import { DestinationLinks } from "./destination-links.ts";
import {
  listening,
  RelayWorld,
  rawServer,
  readAll,
  readUntil,
  service,
  setName,
} from "./testing/relay-world.ts";
import { Overflow } from "./upstream-pool.ts";

type Pool = NonNullable<Parameters<typeof create<typeof ConnectionPoolSchema>>[1]>;

/** A relay before a server that sends back what comes, but for requests, on a port of bytes whose connections a rule bounds. */
async function open(
  stack: AsyncDisposableStack,
  connectionPool: Pool,
  applicationProtocol = ApplicationProtocol.TCP,
): Promise<RelayWorld> {
  const port = await listening(
    stack,
    rawServer((socket) => {
      socket.on("data", (chunk) => chunk.includes("HTTP/1.1") || socket.write(chunk));
      socket.on("end", () => socket.end());
    }),
  );
  const destinations = [{ weight: 1, endpointSet: setName, policy: { connectionPool } }];
  const init = { applicationProtocol, destinations, routes: [{ route: { name: "all" }, destinations }] };
  return stack.use(await RelayWorld.start({ [setName]: [port] }, init));
}

const bytes = "\x00\x01binary";
/** A record of a TLS handshake that asks for no server name. */
const hello = "\x16\x03\x01\x00\x01\x01";

async function echoed(world: RelayWorld, text: string): Promise<Socket> {
  const caller = await world.call();
  caller.write(text, "latin1");
  expect(await readUntil(caller, text)).toBe(text);
  return caller;
}

/** @returns why a connection ends, which may be before it is known to be open; undefined: it does not */
async function refusal(world: RelayWorld, text: string): Promise<unknown> {
  try {
    const caller = await world.call();
    caller.write(text, "latin1");
    await once(caller, "data");
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}

test.each([
  ["TCP", ApplicationProtocol.TCP, bytes],
  ["TLS", ApplicationProtocol.TLS, hello],
  ["HTTP, with other bytes on it", ApplicationProtocol.HTTP, bytes],
])("a caller has as many connections for bytes to a destination as a rule allows: %s", async (...given) => {
  const [, protocol, text] = given;
  await using stack = new AsyncDisposableStack();
  const world = await open(stack, { maxConnections: 2 }, protocol);
  const [first] = [await echoed(world, text), await echoed(world, text)];
  expect(await refusal(world, text)).toBe("ECONNRESET");
  expect(world.core.status().refused).toMatchObject({ overflow: 1 });
  world.origins.answer = { workload: 8n, service, cookie: 0n };
  await echoed(world, text);
  world.origins.answer = { workload: 7n, service, cookie: 0n };
  first.destroy();
  await expect.poll(() => refusal(world, text)).toBeUndefined();
  expect(await refusal(world, text)).toBe("ECONNRESET");
});

test("connections to a destination count together, be they for requests or bytes", async () => {
  await using stack = new AsyncDisposableStack();
  const world = await open(stack, { maxConnections: 1 }, ApplicationProtocol.HTTP);
  const caller = await world.call();
  caller.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await expect.poll(() => world.core.status().requests).toBe(1);
  expect(await refusal(world, bytes)).toBe("ECONNRESET");
});

test("connections for bytes close when they were idle, or open, for as long as a rule says", async () => {
  await using stack = new AsyncDisposableStack();
  const idle = await open(stack, { tcpIdleTimeoutMs: 800n });
  const busy = await echoed(idle, bytes);
  const begin = performance.now();
  const silent = await echoed(idle, bytes);
  const chatter = setInterval(() => busy.write("x"), 50);
  stack.defer(() => clearInterval(chatter));
  busy.resume();
  expect(await readAll(silent)).toBe("");
  expect(performance.now() - begin).toBeGreaterThan(790);
  expect(busy.readableEnded).toBe(false);
  const brief = await open(stack, { maxConnectionDurationMs: 300n });
  const talking = await echoed(brief, bytes);
  const talk = setInterval(() => talking.write("x"), 50);
  stack.defer(() => clearInterval(talk));
  expect(await readAll(talking)).toMatch(/^x+$/);
});

const endpoint = create(EndpointSchema, { address: Buffer.from([127, 0, 0, 1]), port: 1 });

test("a connection for bytes has a rule's time to be opened, and counts meanwhile", async () => {
  const times: number[] = [];
  const { promise, reject } = Promise.withResolvers<Socket>();
  const connect = (_address: string, _port: number, timeoutMs: number): Promise<Socket> => {
    times.push(timeoutMs);
    return promise;
  };
  const pool = create(ConnectionPoolSchema, { connectTimeoutMs: 70n, maxConnections: 1 });
  const links = new DestinationLinks(connect, false, limitsOf(pool));
  const opening = links.openForBytes(endpoint);
  await expect(links.openForBytes(endpoint)).rejects.toThrow(Overflow);
  expect(links.closeIdle(0)).toBe(true);
  reject(new Error("too slow"));
  await expect(opening).rejects.toThrow("too slow");
  expect([times, links.closeIdle(0)]).toEqual([[70], false]);
});
