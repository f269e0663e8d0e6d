import { status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { connect, node } from "../testing/node-streams.ts";
import { resource, snapshot } from "../testing/resources.ts";
import { summary } from "../testing/summary.ts";
import { TestServer } from "../testing/test-server.ts";

const type = "type.test/Thing";
const goingAway = { code: status.UNAVAILABLE, details: "the control plane is going away" };

test("close() ends every stream with UNAVAILABLE, whatever it is doing", async () => {
  using server = await TestServer.start();
  server.xds.setSnapshot(snapshot(1, { [type]: [resource("a")] }));
  using silent = connect(server);
  using idle = connect(server);
  using owing = connect(server);
  idle.stream.send({ node: node("idle"), typeUrl: type });
  await idle.stream.take();
  await idle.stream.quiet();
  owing.stream.send({ node: node("owing"), typeUrl: type });
  await owing.stream.next();
  server.xds.close();
  expect(await idle.stream.ended).toMatchObject(goingAway);
  expect(await owing.stream.ended).toMatchObject(goingAway);
  expect(await silent.stream.ended).toMatchObject(goingAway);
  expect(server.xds.nodes()).toEqual([]);
  expect(server.eventsOf("disconnected")).toMatchObject([{ node: "idle" }, { node: "owing" }]);
  expect(server.eventsOf("refused")).toEqual([]);
});

test("a stream that comes after close() is sent away as well", async () => {
  using server = await TestServer.start();
  server.xds.close();
  using late = connect(server);
  late.stream.send({ node: node("late"), typeUrl: type });
  expect(await late.stream.ended).toMatchObject(goingAway);
  server.xds.setSnapshot(snapshot(1, { [type]: [resource("a")] }));
  expect(server.events).toEqual([]);
});

test("what is queued for a client arrives before the end", async () => {
  using server = await TestServer.start();
  using connection = connect(server);
  connection.stream.send({ node: node("n1"), typeUrl: type });
  await expect.poll(() => server.eventsOf("connected")).toHaveLength(1);
  server.xds.setSnapshot(snapshot(1, { [type]: [resource("a", "x".repeat(1_000_000))] }));
  server.xds.close();
  expect((await connection.stream.next()).resources).toHaveLength(1);
  expect(await connection.stream.ended).toMatchObject(goingAway);
});

test("a failure on one stream is told there, and others are served", async () => {
  using server = await TestServer.start();
  server.xds.setSnapshot(snapshot(1, {}));
  using one = connect(server);
  using two = connect(server);
  for (const [name, { stream }] of Object.entries({ one, two })) {
    stream.send({ node: node(name), typeUrl: type });
    await stream.take();
    await stream.quiet();
  }
  const broken = Object.defineProperty(resource("broken", "broken", "one"), "body", {
    get: () => {
      throw new Error("no body can be had");
    },
  });
  server.xds.setSnapshot(snapshot(2, { [type]: [broken, resource("a")] }));
  expect(await one.stream.ended).toMatchObject({ code: status.INTERNAL, details: "no body can be had" });
  expect(server.eventsOf("refused")).toMatchObject([{ node: "one" }]);
  expect(summary(await two.stream.take()).added).toEqual(["a"]);
});

test("nodes() tells who is connected since when, sorted by name, and what each was sent", async () => {
  using server = await TestServer.start();
  server.xds.setSnapshot(snapshot(7, { [type]: [resource("a")] }));
  const started = new Date();
  using b = connect(server);
  using a = connect(server);
  using anonymous = connect(server);
  b.stream.send({ node: node("b"), typeUrl: type });
  await b.stream.next();
  a.stream.send({ node: node("a"), typeUrl: type });
  await a.stream.take();
  anonymous.stream.send({ typeUrl: type });
  await anonymous.stream.take();
  await expect.poll(() => server.eventsOf("ack")).toHaveLength(2);
  const [first, second, ...others] = server.xds.nodes();
  expect(others).toEqual([]);
  expect(first).toMatchObject({
    id: "test~a",
    name: "a",
    types: { [type]: { sentVersion: "7", ackedVersion: "7" } },
  });
  expect(second).toMatchObject({
    id: "test~b",
    name: "b",
    types: { [type]: { sentVersion: "7", ackedVersion: "" } },
  });
  expect(first?.peer).toMatch(/^127\.0\.0\.1:\d+$/);
  expect(first?.connectedAt.getTime()).toBeGreaterThanOrEqual(started.getTime());
  expect(second?.pendingSince?.getTime()).toBeGreaterThanOrEqual(second?.connectedAt.getTime() ?? Infinity);
});

test("a node is known by its name, else by its id, else by its address", async () => {
  using server = await TestServer.start();
  server.xds.setSnapshot(snapshot(1, {}));
  for (const who of [node("named"), { id: "only-id" }, undefined]) {
    using connection = connect(server);
    connection.stream.send({ typeUrl: type, ...(who === undefined ? {} : { node: who }) });
    await connection.stream.next();
  }
  const [named, byId, byAddress] = server.eventsOf("push").map((event) => event.node);
  expect([named, byId]).toEqual(["named", "only-id"]);
  expect(byAddress).toMatch(/^127\.0\.0\.1:\d+$/);
});
