import { status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { connect, node } from "../testing/node-streams.ts";
import type { RequestFields } from "../testing/raw-delta-stream.ts";
import { resource, snapshot } from "../testing/resources.ts";
import { summary } from "../testing/summary.ts";
import { TestServer } from "../testing/test-server.ts";
import type { ServerLimits } from "./limits.ts";

const type = "type.test/Thing";

async function serving(limits: Partial<ServerLimits>): Promise<TestServer> {
  const server = await TestServer.start({ limits });
  server.xds.setSnapshot(snapshot(1, { [type]: [resource("a"), resource("b")] }));
  return server;
}

test("a stream over the limit is refused, until another one has ended", async () => {
  using server = await serving({ streams: 2 });
  using one = connect(server);
  using two = connect(server);
  using three = connect(server);
  for (const { stream } of [one, two]) {
    stream.send({ node: node("n"), typeUrl: type });
    await stream.take();
  }
  three.stream.send({ typeUrl: type });
  expect(await three.stream.ended).toMatchObject({
    code: status.RESOURCE_EXHAUSTED,
    details: "2 streams are open already",
  });
  expect(server.eventsOf("refused")).toMatchObject([{ node: "", reason: "2 streams are open already" }]);
  one.stream.cancel();
  await expect.poll(() => server.eventsOf("disconnected")).toHaveLength(1);
  const again = three.client.open();
  again.send({ typeUrl: type });
  expect(summary(await again.take()).added).toEqual(["a", "b"]);
});

test("a stream over the limit takes the place of the oldest that has said nothing", async () => {
  using server = await serving({ streams: 3 });
  using early = connect(server);
  early.stream.send({ typeUrl: type });
  await early.stream.take();
  using silent = connect(server);
  const quiet = [silent.stream, silent.client.open()] as const;
  for (let count = 0; count < 5; count += 1) {
    using late = connect(server);
    late.stream.send({ typeUrl: type });
    expect(summary(await late.stream.take()).added).toEqual(["a", "b"]);
    late.stream.end();
    await late.stream.ended;
  }
  const reason = "no request yet, and 3 streams are open";
  expect(await quiet[0].ended).toMatchObject({ code: status.RESOURCE_EXHAUSTED, details: reason });
  expect(server.eventsOf("refused")).toMatchObject([{ reason }]);
  await early.stream.quiet();
  quiet[1].send({ typeUrl: type });
  expect(summary(await quiet[1].take()).added).toEqual(["a", "b"]);
});

test("a stream that says nothing is ended", async () => {
  using server = await serving({ firstRequestMs: 100 });
  using connection = connect(server);
  const talking = connection.client.open();
  talking.send({ typeUrl: type });
  await talking.take();
  expect(await connection.stream.ended).toMatchObject({
    code: status.DEADLINE_EXCEEDED,
    details: "no request within 100 ms",
  });
  expect(server.eventsOf("refused")).toMatchObject([{ reason: "no request within 100 ms" }]);
  await talking.quiet();
});

test("a stream may ask for so many types", async () => {
  using server = await serving({ typesPerStream: 2 });
  using connection = connect(server);
  const { stream } = connection;
  for (const typeUrl of [type, "type.test/Other"]) {
    stream.send({ node: node("greedy"), typeUrl });
    await stream.take();
  }
  stream.send({ typeUrl: "type.test/Third" });
  const details = "types on one stream: 3 is over the limit of 2";
  expect(await stream.ended).toMatchObject({ code: status.RESOURCE_EXHAUSTED, details });
  expect(server.eventsOf("refused")).toMatchObject([{ node: "greedy", reason: details }]);
  expect(server.eventsOf("disconnected")).toMatchObject([{ node: "greedy" }]);
  expect(server.xds.nodes()).toEqual([]);
});

test("a stream may subscribe to so many names of a type, in one request or in many", async () => {
  using server = await serving({ namesPerType: 3 });
  using connection = connect(server);
  const { stream } = connection;
  stream.send({ typeUrl: type, resourceNamesSubscribe: ["a", "b", "c"] });
  await stream.take();
  stream.send({ typeUrl: type, resourceNamesSubscribe: ["d"], resourceNamesUnsubscribe: ["a"] });
  expect(summary(await stream.take())).toMatchObject({ removed: ["d"] });
  stream.send({ typeUrl: "type.test/Other", resourceNamesSubscribe: ["a", "b", "c"] });
  await stream.take();
  stream.send({ typeUrl: type, resourceNamesSubscribe: ["e"] });
  expect(await stream.ended).toMatchObject({
    code: status.RESOURCE_EXHAUSTED,
    details: `names of ${type}: 4 is over the limit of 3`,
  });
});

test("names that come and go while a push is in flight are bounded, too", async () => {
  using server = await serving({ namesPerType: 10 });
  using connection = connect(server);
  const { stream } = connection;
  stream.send({ typeUrl: type });
  await stream.next();
  for (let count = 0; count < 11; count += 1) {
    stream.send({ typeUrl: type, resourceNamesSubscribe: [`name-${count}`] });
    stream.send({ typeUrl: type, resourceNamesUnsubscribe: [`name-${count}`] });
  }
  expect(await stream.ended).toMatchObject({
    code: status.RESOURCE_EXHAUSTED,
    details: `names of ${type}: 11 is over the limit of 10`,
  });
});

test("a stream may say that it holds so many resources of a type", async () => {
  using server = await serving({ namesPerType: 3 });
  using connection = connect(server);
  connection.stream.send({ typeUrl: type, initialResourceVersions: { a: "1", b: "1", c: "1", d: "1" } });
  expect(await connection.stream.ended).toMatchObject({
    code: status.RESOURCE_EXHAUSTED,
    details: `initial_resource_versions of ${type}: 4 is over the limit of 3`,
  });
});

const long = "é".repeat(20);
test.for<[string, RequestFields, string]>([
  ["a type URL", { typeUrl: long }, "a type_url"],
  ["a name to subscribe to", { typeUrl: type, resourceNamesSubscribe: ["a", long] }, `a name of ${type}`],
  ["a name to unsubscribe from", { typeUrl: type, resourceNamesUnsubscribe: [long] }, `a name of ${type}`],
  [
    "a name held",
    { typeUrl: type, initialResourceVersions: { [long]: "" } },
    `initial_resource_versions of ${type}`,
  ],
  [
    "a version held",
    { typeUrl: type, initialResourceVersions: { a: long } },
    `initial_resource_versions of ${type}`,
  ],
  ["a node's id", { typeUrl: type, node: { id: long } }, "the node's id or NODE_NAME"],
  ["a node's name", { typeUrl: type, node: { metadata: { NODE_NAME: long } } }, "the node's id or NODE_NAME"],
])("%s has so many bytes at most", async ([, request, what]) => {
  using server = await serving({ nameBytes: 39 });
  using connection = connect(server);
  connection.stream.send(request);
  expect(await connection.stream.ended).toMatchObject({
    code: status.RESOURCE_EXHAUSTED,
    details: `bytes of ${what}: 40 is over the limit of 39`,
  });
  expect(server.eventsOf("connected")).toEqual([]);
  expect(server.eventsOf("disconnected")).toEqual([]);
});
