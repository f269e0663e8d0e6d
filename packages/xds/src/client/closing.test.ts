import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { expect, test } from "vitest";
import { RawDeltaServer } from "../testing/raw-delta-server.ts";
import { resource, snapshot } from "../testing/resources.ts";
import { TestClient } from "../testing/test-client.ts";
import { TestServer } from "../testing/test-server.ts";
import { Backoff } from "./backoff.ts";

const type = "type.test/Thing";
const typeUrls = [type];

async function serving(): Promise<TestServer> {
  const server = await TestServer.start();
  server.xds.setSnapshot(snapshot(1, { [type]: [resource("a")] }));
  return server;
}

test("a client that was never started closes, and does not start after that", async () => {
  using server = await serving();
  await using client = new TestClient({ address: server.address, typeUrls });
  await client.client.close();
  client.client.start();
  await client.client.close();
  expect(client.states).toEqual([]);
  expect(server.events).toEqual([]);
});

test("right after the start", async () => {
  using server = await serving();
  await using client = TestClient.started({ address: server.address, typeUrls });
  await client.client.close();
  expect(client.updates).toEqual([]);
  expect(client.states).toEqual([]);
});

test("while connecting to something that never answers", async () => {
  const sockets: Socket[] = [];
  const mute = createServer((socket) => sockets.push(socket));
  await once(mute.listen(0, "127.0.0.1"), "listening");
  const bound = mute.address();
  const address = `127.0.0.1:${typeof bound === "object" ? bound?.port : bound}`;
  await using client = TestClient.started({ address, typeUrls });
  await expect.poll(() => sockets.length).toBeGreaterThan(0);
  await client.client.close();
  expect(client.states).toEqual([]);
  for (const socket of sockets) socket.destroy();
  mute.close();
});

test("while waiting to try again, at once", async () => {
  const gone = await serving();
  gone[Symbol.dispose]();
  const backoff = new Backoff(3_600_000, 3_600_000);
  await using client = TestClient.started({ address: gone.address, typeUrls, backoff });
  await expect.poll(() => client.states.length).toBe(1);
  await client.client.close();
  expect(client.states).toHaveLength(1);
});

test("while connected and idle: the server sees the node leave", async () => {
  using server = await serving();
  await using client = TestClient.started({ address: server.address, typeUrls });
  await expect.poll(() => server.eventsOf("ack").length).toBe(1);
  await client.client.close();
  await expect.poll(() => server.eventsOf("disconnected")).toMatchObject([{ node: "n1" }]);
  expect(client.states).toEqual([{ connected: true }]);
});

test("while an update is handled: after that, and nothing that waits is handled any more", async () => {
  using server = await RawDeltaServer.start();
  await using client = new TestClient({ address: server.address, typeUrls });
  const { finish, calls } = client.startSlow();
  await expect.poll(() => server.requests.length).toBe(1);
  for (const nonce of ["1", "2", "3"]) server.send({ typeUrl: type, nonce });
  await expect.poll(calls).toBe(1);
  const order: string[] = [];
  const closed = client.client.close().then(() => order.push("closed"));
  void finish.promise.then(() => order.push("handled"));
  await new Promise(setImmediate);
  expect(order).toEqual([]);
  finish.resolve();
  await closed;
  expect(order).toEqual(["handled", "closed"]);
  expect(calls()).toBe(1);
  expect(client.states).toEqual([{ connected: true }]);
});

test("while an update is being rejected: it is not asked for again", async () => {
  using server = await serving();
  await using client = new TestClient({ address: server.address, typeUrls, retryRejectedMs: 1 });
  const { finish, calls } = client.startSlow();
  await expect.poll(calls).toBe(1);
  const closed = client.client.close();
  finish.reject(new Error("no"));
  await closed;
  await expect.poll(() => server.eventsOf("disconnected")).toHaveLength(1);
  expect(server.eventsOf("connected")).toHaveLength(1);
});

test("from within onState, whatever the state", async () => {
  using server = await serving();
  const gone = await serving();
  gone[Symbol.dispose]();
  for (const address of [server.address, gone.address]) {
    const closed = Promise.withResolvers<void>();
    const client = new TestClient({
      address,
      typeUrls,
      backoff: new Backoff(3_600_000, 3_600_000),
      onState: () => void client.client.close().then(closed.resolve, closed.reject),
    });
    client.client.start();
    await closed.promise;
  }
});

test("twice at once", async () => {
  using server = await serving();
  await using client = TestClient.started({ address: server.address, typeUrls });
  await expect.poll(() => client.updates.length).toBe(1);
  await Promise.all([client.client.close(), client.client.close()]);
  expect(client.states).toEqual([{ connected: true }]);
});
