import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { DeafClient } from "../testing/deaf-client.ts";
import { connect, node } from "../testing/node-streams.ts";
import { RawDeltaClient } from "../testing/raw-delta-stream.ts";
import { resource, snapshot } from "../testing/resources.ts";
import { summary } from "../testing/summary.ts";
import { TestServer } from "../testing/test-server.ts";

const type = "type.test/Thing";
const mebibyte = 1024 * 1024;

/** A server with one well-behaved client, which must be served whatever others do. */
async function serving(streams = 100) {
  const server = await TestServer.start({ limits: { streams } });
  server.xds.setSnapshot(snapshot(1, { [type]: [resource("a")] }));
  const good = connect(server);
  good.stream.send({ node: node("good"), typeUrl: type });
  await good.stream.take();
  const stack = new DisposableStack();
  stack.use(server);
  stack.use(good);
  const stillServed = async () => {
    server.xds.setSnapshot(snapshot(2, { [type]: [resource("a", "newer")] }));
    expect(summary(await good.stream.take()).added).toEqual(["a=newer"]);
  };
  return { server, stillServed, [Symbol.dispose]: () => stack.dispose() };
}

test("bytes that are no request end their stream with the reason", async () => {
  using world = await serving();
  using bad = connect(world.server);
  bad.stream.send({ node: node("bad"), typeUrl: type });
  await bad.stream.take();
  bad.stream.sendBytes(Buffer.from("\xff garbage", "latin1"));
  const ended = await bad.stream.ended;
  expect(ended.code).toBe(status.INVALID_ARGUMENT);
  expect(ended.details).toContain("9 bytes are no DeltaDiscoveryRequest: ");
  expect(world.server.eventsOf("refused")).toMatchObject([{ node: "bad", reason: ended.details }]);
  expect(world.server.xds.nodes().map(({ name }) => name)).toEqual(["good"]);
  await world.stillServed();
});

test("a request without a type is refused", async () => {
  using world = await serving();
  using bad = connect(world.server);
  bad.stream.sendBytes(new Uint8Array());
  expect(await bad.stream.ended).toMatchObject({
    code: status.INVALID_ARGUMENT,
    details: "a request names no type_url",
  });
  await world.stillServed();
});

test("a request of 100 MiB is refused", async () => {
  using world = await serving();
  using bad = connect(world.server);
  bad.stream.sendBytes(Buffer.alloc(100 * mebibyte));
  expect(await bad.stream.ended).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
  await world.stillServed();
});

test("bytes that are not even HTTP/2 end their connection", async () => {
  using world = await serving();
  const socket = connectTcp(world.server.port, "127.0.0.1");
  socket.on("error", () => undefined).resume();
  socket.write(Buffer.alloc(100_000, "GET / HTTP/1.1\r\n\0\xff"));
  await once(socket, "close");
  await world.stillServed();
});

test("a client that stops sending is let go", async () => {
  using world = await serving();
  using polite = connect(world.server);
  polite.stream.send({ node: node("polite"), typeUrl: type });
  const answer = await polite.stream.next();
  expect(summary(answer).added).toEqual(["a"]);
  polite.stream.end();
  expect(await polite.stream.ended).toMatchObject({ code: status.OK });
  expect(world.server.eventsOf("disconnected")).toMatchObject([{ node: "polite" }]);
});

test("a connection that breaks takes its streams with it", async () => {
  using world = await serving();
  const gone = connect(world.server);
  for (const [index, stream] of [gone.stream, gone.client.open()].entries()) {
    stream.send({ node: node(`gone-${index}`), typeUrl: type });
    await stream.take();
  }
  expect(world.server.xds.nodes()).toHaveLength(3);
  for (const name of ["gone-0", "gone-1"])
    expect(world.server.xds.nodes().map((each) => each.name)).toContain(name);
  gone[Symbol.dispose]();
  gone.stream.cancel();
  await expect
    .poll(() => world.server.eventsOf("disconnected").map((event) => event.node))
    .toContain("gone-0");
  await world.stillServed();
});

test("1,000 streams that say nothing keep nobody out", async () => {
  using world = await serving(50);
  using flood = new RawDeltaClient(world.server.address);
  const silent = Array.from({ length: 1_000 }, () => flood.open());
  await Promise.all(silent.slice(0, 900).map(({ ended }) => ended));
  using late = connect(world.server);
  late.stream.send({ typeUrl: type });
  expect(summary(await late.stream.take()).added).toEqual(["a"]);
  await world.stillServed();
  for (const stream of silent) stream.cancel();
});

test("a refused client that does not read still takes its place, until its connection is gone", async () => {
  using world = await serving(3);
  const { server } = world;
  server.xds.setSnapshot(snapshot(3, { [type]: [resource("big", "x".repeat(mebibyte))] }));
  const deaf = new DeafClient(server.address);
  for (const name of ["deaf-1", "deaf-2"]) {
    const stream = deaf.open();
    stream.send({ node: node(name), typeUrl: type });
    stream.sendBytes(Buffer.from("garbage"));
    const refusal = expect.objectContaining({ node: name });
    await expect.poll(() => server.eventsOf("refused")).toContainEqual(refusal);
  }
  expect(pushes(server)).toBe(2);
  using late = connect(server);
  late.stream.send({ typeUrl: type });
  expect(await late.stream.ended).toMatchObject({ details: "3 streams are open already" });
  deaf[Symbol.dispose]();
  await expect.poll(() => accepted(late)).toBe(true);
});

test("a client that does not read, and stops sending, is sent nothing more", async () => {
  using world = await serving();
  const { server } = world;
  server.xds.setSnapshot(snapshot(3, { [type]: [resource("big", "x".repeat(mebibyte))] }));
  using deaf = new DeafClient(server.address);
  const stream = deaf.open();
  stream.send({ node: node("deaf"), typeUrl: type });
  await expect.poll(() => pushes(server)).toBe(1);
  stream.end();
  await expect.poll(() => server.eventsOf("disconnected")).toMatchObject([{ node: "deaf" }]);
  expect(server.xds.nodes()).toHaveLength(1);
});

test("what a refused client sends is not read any more", async () => {
  using world = await serving();
  const { server } = world;
  using bad = connect(server);
  bad.stream.send({ node: node("bad"), typeUrl: type });
  const { nonce } = await bad.stream.next();
  bad.stream.sendBytes(Buffer.from("garbage"));
  bad.stream.send({ typeUrl: type, responseNonce: nonce, resourceNamesSubscribe: ["a"] });
  await bad.stream.ended;
  await world.stillServed();
  expect(server.eventsOf("ack").filter((event) => event.node === "bad")).toEqual([]);
});

test("clients that do not read cost one push each, however many snapshots there are", async () => {
  using world = await serving();
  const { server } = world;
  const clients = 6;
  const snapshots = 40;
  const deaf = Array.from({ length: clients }, () => new DeafClient(server.address));
  const serve = (version: number) => {
    const text = String.fromCharCode(65 + version).repeat(mebibyte);
    server.xds.setSnapshot(snapshot(version, { [type]: [resource("big", text)] }));
  };
  const before = heldBytes();
  serve(1);
  for (const [index, client] of deaf.entries())
    client.open().send({ node: node(`deaf-${index}`), typeUrl: type });
  await expect.poll(() => pushes(server)).toBe(clients);
  for (let version = 2; version <= snapshots; version += 1) serve(version);
  expect(pushes(server)).toBe(clients);
  // gRPC copies what it writes; snapshots, the encoder and the good client's push hold a few more.
  const bound = mebibyte * (2 * clients + 12);
  expect(bound).toBeLessThan((mebibyte * clients * snapshots) / 5);
  await expect.poll(() => heldBytes() - before).toBeLessThan(bound);
  for (const client of deaf) client[Symbol.dispose]();
  await expect.poll(() => server.eventsOf("disconnected")).toHaveLength(clients);
});

async function accepted({ client }: { client: RawDeltaClient }): Promise<boolean> {
  const stream = client.open();
  stream.send({ typeUrl: type });
  return stream.next().then(
    () => true,
    () => false,
  );
}

const pushes = (server: TestServer): number =>
  server.eventsOf("push").filter((event) => event.node.startsWith("deaf")).length;

/** Bytes in buffers that are in use. */
function heldBytes(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc()");
  return process.memoryUsage().arrayBuffers;
}
