import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { expect, test } from "vitest";
import { listening, RelayWorld, readUntil, routeTo, setName } from "./testing/relay-world.ts";

/** The port of a server that answers with its name. */
const named = (stack: AsyncDisposableStack, name: string): Promise<number> =>
  listening(
    stack,
    createServer((_: IncomingMessage, response: ServerResponse) => response.end(name)),
  );

test("each request of a connection goes where its route says, by weights, and is counted", async () => {
  await using stack = new AsyncDisposableStack();
  const [v1, v2] = [await named(stack, "v1"), await named(stack, "v2")];
  const routes = [
    routeTo("beta", {
      route: { name: "beta", matches: [{ uri: { how: { case: "prefix", value: "/beta" } } }] },
    }),
    {
      route: { name: "rest", destinations: [{ weight: 80 }, { weight: 20 }] },
      destinations: [
        { weight: 80, endpointSet: "v1" },
        { weight: 20, endpointSet: "beta" },
      ],
    },
  ];
  const world = stack.use(await RelayWorld.start({ v1: [v1], beta: [v2] }, { routes }));
  const caller = await world.call();
  const counts = { v1: 0, v2: 0 };
  for (let request = 0; request < 400; request++) {
    caller.write("GET /x HTTP/1.1\r\nHost: web\r\n\r\n");
    const answer = await readUntil(caller, /v[12]$/);
    expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    counts[answer.slice(-2) as "v1"]++;
  }
  caller.write("GET /beta HTTP/1.1\r\nHost: web\r\n\r\n");
  expect(await readUntil(caller, /v[12]$/)).toMatch(/v2$/);
  expect(counts.v1).toBeGreaterThan(270);
  expect(counts.v2).toBeGreaterThan(40);
  const counted = world.core.counters
    .all()
    .map(({ route, endpoint, statusClass, requests }) => [route, endpoint, statusClass, requests]);
  expect(counted).toContainEqual(["beta", `127.0.0.1:${v2}`, 2, 1]);
  expect(counted).toContainEqual(["rest", `127.0.0.1:${v1}`, 2, counts.v1]);
  expect(world.core.status()).toMatchObject({ networks: 1, connections: 1, requests: 401 });
});

test("no route: 404; no endpoint: 503; both leave the connection open", async () => {
  await using stack = new AsyncDisposableStack();
  const routes = [
    routeTo(setName, { route: { name: "a", matches: [{ uri: { how: { case: "exact", value: "/a" } } }] } }),
  ];
  const world = stack.use(await RelayWorld.start({ [setName]: [] }, { routes }));
  const caller = await world.call();
  caller.write("GET /b HTTP/1.1\r\nHost: web\r\n\r\n");
  expect(await readUntil(caller, "\r\n\r\n")).toMatch(/^HTTP\/1.1 404 Not Found\r\n/);
  caller.write("GET /a HTTP/1.1\r\nHost: web\r\n\r\n");
  expect(await readUntil(caller, "no endpoint")).toMatch(/^HTTP\/1.1 503 Service Unavailable\r\n/);
});

test("a port that lost its rules answers on open connections as for new ones, and says that they end", async () => {
  await using stack = new AsyncDisposableStack();
  const web = await named(stack, "web");
  const world = stack.use(await RelayWorld.start({ [setName]: [web] }));
  const caller = await world.call();
  caller.write("GET / HTTP/1.1\r\nHost: web\r\n\r\n");
  expect(await readUntil(caller, "web")).not.toMatch(/connection: close/i);
  world.setPolicy({ [setName]: [web] }, { routes: [] });
  caller.write("GET / HTTP/1.1\r\nHost: web\r\n\r\n");
  const answer = await readUntil(caller, /never/);
  expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\n/);
  expect(answer).toMatch(/\r\nConnection: close\r\n/);
  expect(answer).toMatch(/web$/);
});
