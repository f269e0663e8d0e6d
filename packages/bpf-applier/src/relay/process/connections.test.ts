import { once } from "node:events";
import { createServer as createTlsServer, connect as tlsConnect } from "node:tls";
import { ApplicationProtocol } from "@keelson/protos/policy";
import { expect, test } from "vitest";
import {
  listening,
  RelayWorld,
  rawServer,
  readAll,
  readUntil,
  service,
  setName,
  workload,
} from "./testing/relay-world.ts";

test.each([
  ["TCP", ApplicationProtocol.TCP],
  ["unknown", ApplicationProtocol.UNSPECIFIED],
])("a server that speaks first is heard on a port of protocol %s", async (_, applicationProtocol) => {
  await using stack = new AsyncDisposableStack();
  const port = await listening(
    stack,
    rawServer((socket) => {
      socket.write("220 mail\r\n");
      socket.on("data", (chunk: Buffer) => socket.end(`250 ${chunk.toString()}`));
    }),
  );
  const world = stack.use(await RelayWorld.start({ [setName]: [port] }, { applicationProtocol }));
  const caller = await world.call();
  expect(await readUntil(caller, "\r\n")).toBe("220 mail\r\n");
  caller.write("EHLO a\r\n");
  expect(await readAll(caller)).toBe("250 EHLO a\r\n");
});

test("what is no request on an HTTP port is carried as it is, and ends of one direction, too", async () => {
  await using stack = new AsyncDisposableStack();
  const port = await listening(
    stack,
    rawServer((socket) => {
      let text = "";
      socket.on("data", (chunk: Buffer) => {
        text += chunk.toString("latin1");
      });
      socket.on("end", () => socket.end(`heard ${text}`));
    }),
  );
  const world = stack.use(await RelayWorld.start({ [setName]: [port] }));
  const caller = await world.call();
  caller.write("\x00\x01binary");
  caller.end();
  expect(await readAll(caller)).toBe("heard \x00\x01binary");
});

test("requests on a port of unknown protocol are answered by their routes", async () => {
  await using stack = new AsyncDisposableStack();
  const port = await listening(
    stack,
    rawServer((socket) =>
      socket.on("data", () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")),
    ),
  );
  const world = stack.use(
    await RelayWorld.start({ [setName]: [port] }, { applicationProtocol: ApplicationProtocol.UNSPECIFIED }),
  );
  const caller = await world.call();
  caller.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  expect(await readUntil(caller, "ok")).toMatch(/^HTTP/);
  expect(world.core.status().requests).toBe(1);
});

/** Both ends know a key, so that no certificate is needed. */
const psk = Buffer.alloc(32, 7);
const keyed = { ciphers: "PSK", maxVersion: "TLSv1.2" } as const;

test("TLS goes by its server name, as it is", async () => {
  await using stack = new AsyncDisposableStack();
  const tls = async (name: string): Promise<number> =>
    listening(
      stack,
      createTlsServer({ ...keyed, pskCallback: () => psk }, (socket) =>
        socket.end(`${name} saw ${socket.servername || "no name"}`),
      ),
    );
  const route = (name: string, ...sniHosts: string[]) => ({
    route: { matches: [{ sniHosts }] },
    destinations: [{ weight: 1, endpointSet: name }],
  });
  const connectionRoutes = [route("a", "a.example.com"), route("b", "*.example.com")];
  const servers = { a: [await tls("a")], b: [await tls("b")], [setName]: [await tls("rest")] };
  const world = stack.use(
    await RelayWorld.start(servers, {
      applicationProtocol: ApplicationProtocol.TLS,
      routes: [],
      connectionRoutes,
    }),
  );
  const ask = async (servername: string): Promise<string> => {
    const socket = tlsConnect({
      ...keyed,
      port: world.port,
      host: "127.0.0.1",
      pskCallback: () => ({ psk, identity: "caller" }),
      checkServerIdentity: () => undefined,
      ...(servername === "" ? {} : { servername }),
    });
    await once(socket, "secureConnect");
    return await readAll(socket);
  };
  expect(await ask("A.example.com")).toMatch(/^a saw a.example.com$/i);
  expect(await ask("c.example.com")).toBe("b saw c.example.com");
  expect(await ask("other")).toBe("rest saw other");
  expect(await ask("")).toBe("rest saw no name");
});

test("a connection whose origin nobody knows, or that is for no service, is closed, and counted", async () => {
  await using stack = new AsyncDisposableStack();
  const world = stack.use(await RelayWorld.start({ [setName]: [] }));
  world.origins.answer = undefined;
  expect(await readAll(await world.call())).toBe("");
  world.origins.answer = { workload, service: service + 1n, cookie: 0n };
  expect(await readAll(await world.call())).toBe("");
  expect(world.core.counters.refused).toMatchObject({ unknownOrigin: 1, unknownService: 1 });
  expect(world.origins.asked).toMatchObject([{ network: 1n, address: "127.0.0.1" }, { network: 1n }]);
});

test("a connection waits for the first policy", async () => {
  await using stack = new AsyncDisposableStack();
  const port = await listening(
    stack,
    rawServer((socket) => socket.end("here")),
  );
  const world = stack.use(await RelayWorld.startWithoutPolicy());
  const caller = await world.call();
  await expect.poll(() => world.core.status().connections).toBe(1);
  world.setPolicy({ [setName]: [port] }, { applicationProtocol: ApplicationProtocol.TCP });
  expect(await readAll(caller)).toBe("here");
});

test("an endpoint that cannot be reached resets the caller's connection", async () => {
  await using stack = new AsyncDisposableStack();
  const world = stack.use(
    await RelayWorld.start({ [setName]: [1] }, { applicationProtocol: ApplicationProtocol.TCP }),
  );
  const caller = await world.call();
  const [error] = (await once(caller, "error")) as [NodeJS.ErrnoException];
  expect(error.code).toBe("ECONNRESET");
});

test("a network that is asked for while it is opened is opened once", async () => {
  await using stack = new AsyncDisposableStack();
  const { core } = stack.use(await RelayWorld.startWithoutPolicy());
  const wanted = { cookie: 2n, path: undefined };
  const [first, second] = await Promise.all([core.addNetwork(wanted), core.addNetwork(wanted)]);
  expect(second).toEqual(first);
  expect(await core.addNetwork(wanted)).toEqual(first);
});
