import { expect, test } from "vitest";
import { connect, node } from "../testing/node-streams.ts";
import { resource, snapshot } from "../testing/resources.ts";
import { summary } from "../testing/summary.ts";
import { TestServer } from "../testing/test-server.ts";

const type = "type.test/Thing";
const said = (added: string[], removed: string[] = []) => ({ type, added, removed });

async function serving(...names: string[]): Promise<TestServer> {
  const server = await TestServer.start();
  server.xds.setSnapshot(snapshot(1, { [type]: names.map((name) => resource(name)) }));
  return server;
}

test("a wildcard gets everything, and what changes", async () => {
  using server = await serving("a", "b");
  using connection = connect(server);
  const { stream } = connection;
  stream.send({ typeUrl: type, resourceNamesSubscribe: ["*"] });
  const first = await stream.take();
  expect(summary(first)).toEqual(said(["a", "b"]));
  expect(first).toMatchObject({
    systemVersionInfo: "1",
    resources: [{ version: resource("a").version }, {}],
  });
  server.xds.setSnapshot(snapshot(2, { [type]: [resource("a", "new"), resource("b"), resource("c")] }));
  const second = await stream.take();
  expect(summary(second)).toEqual(said(["a=new", "c"]));
  expect(second.systemVersionInfo).toBe("2");
  server.xds.setSnapshot(snapshot(3, { [type]: [resource("b")] }));
  expect(summary(await stream.take())).toEqual(said([], ["a", "c"]));
});

test("a first request without names is a wildcard", async () => {
  using server = await serving("a", "b");
  using connection = connect(server);
  connection.stream.send({ typeUrl: type });
  expect(summary(await connection.stream.take())).toEqual(said(["a", "b"]));
});

test("names get these and no others, then and later", async () => {
  using server = await serving("a", "b", "c");
  using connection = connect(server);
  const { stream } = connection;
  stream.send({ typeUrl: type, resourceNamesSubscribe: ["b", "a"] });
  expect(summary(await stream.take())).toEqual(said(["b", "a"]));
  const newer = ["a", "b", "c", "d"].map((name) => resource(name, `new ${name}`));
  server.xds.setSnapshot(snapshot(2, { [type]: newer }));
  expect(summary(await stream.take())).toEqual(said(["b=new b", "a=new a"]));
});

test("names that do not exist are told as removed, and sent when they exist", async () => {
  using server = await serving("a");
  using connection = connect(server);
  const { stream } = connection;
  stream.send({ typeUrl: type, resourceNamesSubscribe: ["a", "later"] });
  expect(summary(await stream.take())).toEqual(said(["a"], ["later"]));
  server.xds.setSnapshot(snapshot(2, { [type]: [resource("a"), resource("later")] }));
  expect(summary(await stream.take())).toEqual(said(["later"]));
});

test("a first request is answered even if there is nothing to tell", async () => {
  using server = await serving("a");
  using connection = connect(server);
  connection.stream.send({ typeUrl: "type.test/Unknown" });
  const answer = await connection.stream.take();
  expect(answer).toMatchObject({ typeUrl: "type.test/Unknown", resources: [], removedResources: [] });
  expect(answer.nonce).not.toBe("");
});

test("a first request waits for the first snapshot", async () => {
  using server = await TestServer.start();
  using connection = connect(server);
  const { stream } = connection;
  stream.send({
    node: node("n1"),
    typeUrl: type,
    resourceNamesSubscribe: ["*"],
    initialResourceVersions: { held: "1" },
  });
  await expect.poll(() => server.eventsOf("connected")).toHaveLength(1);
  expect(server.eventsOf("push")).toEqual([]);
  server.xds.setSnapshot(snapshot(1, { [type]: [resource("a")] }));
  expect(summary(await stream.take())).toEqual(said(["a"]));
  expect(summary(await stream.take())).toEqual(said([], ["held"]));
});

test("subscriptions change without an ack, and with one", async () => {
  using server = await serving("a", "b", "c");
  using connection = connect(server);
  const { stream } = connection;
  stream.send({ typeUrl: type, resourceNamesSubscribe: ["a"] });
  expect(summary(await stream.take())).toEqual(said(["a"]));
  stream.send({ typeUrl: type, resourceNamesSubscribe: ["b"] });
  const second = await stream.next();
  expect(summary(second)).toEqual(said(["b"]));
  stream.ack(second, { resourceNamesSubscribe: ["c"], resourceNamesUnsubscribe: ["a"] });
  expect(summary(await stream.take())).toEqual(said(["c"]));
  server.xds.setSnapshot(snapshot(2, { [type]: [resource("a", "new"), resource("c", "new")] }));
  expect(summary(await stream.take())).toEqual(said(["c=new"]));
  expect(summary(await stream.take())).toEqual(said([], ["b"]));
});

test("unsubscribing is not answered", async () => {
  using server = await serving("a", "b");
  using connection = connect(server);
  const { stream } = connection;
  stream.send({ typeUrl: type, resourceNamesSubscribe: ["a", "b"] });
  await stream.take();
  stream.send({ typeUrl: type, resourceNamesUnsubscribe: ["a", "never"] });
  stream.send({ typeUrl: type, resourceNamesUnsubscribe: ["b"] });
  await stream.quiet();
  server.xds.setSnapshot(snapshot(2, { [type]: [resource("a", "new"), resource("b", "new")] }));
  await stream.quiet();
});

test("a name that is asked for again is sent again", async () => {
  using server = await serving("a", "b");
  using connection = connect(server);
  const { stream } = connection;
  stream.send({ typeUrl: type, resourceNamesSubscribe: ["*"] });
  await stream.take();
  stream.send({ typeUrl: type, resourceNamesSubscribe: ["b"] });
  expect(summary(await stream.take())).toEqual(said(["b"]));
});

test("a name asked for again while its response is in flight is sent again after the ack", async () => {
  using server = await serving("a", "b");
  using connection = connect(server);
  const { stream } = connection;
  stream.send({ typeUrl: type, resourceNamesSubscribe: ["a", "b"] });
  const first = await stream.next();
  // Dropped and wanted again before the response was answered: it may have been dropped after it came.
  stream.send({ typeUrl: type, resourceNamesUnsubscribe: ["a"] });
  stream.send({ typeUrl: type, resourceNamesSubscribe: ["a"] });
  stream.ack(first);
  expect(summary(await stream.take())).toEqual(said(["a"]));
});

test("the wildcard and names live side by side", async () => {
  using server = await serving("a", "b");
  using connection = connect(server);
  const { stream } = connection;
  stream.send({ typeUrl: type });
  expect(summary(await stream.take())).toEqual(said(["a", "b"]));
  stream.send({ typeUrl: type, resourceNamesSubscribe: ["a", "lost"] });
  expect(summary(await stream.take())).toEqual(said(["a"], ["lost"]));
  // The wildcard still includes a, so the client must keep it; it never included lost.
  stream.send({ typeUrl: type, resourceNamesUnsubscribe: ["a", "lost"] });
  expect(summary(await stream.take())).toEqual(said(["a"], ["lost"]));
  stream.send({ typeUrl: type, resourceNamesSubscribe: ["a"] });
  expect(summary(await stream.take())).toEqual(said(["a"]));
  stream.send({ typeUrl: type, resourceNamesUnsubscribe: ["*"] });
  await stream.quiet();
  server.xds.setSnapshot(snapshot(2, { [type]: [resource("a", "new"), resource("b", "new")] }));
  expect(summary(await stream.take())).toEqual(said(["a=new"]));
  // Nothing is left; that is not the wildcard of a first request.
  stream.send({ typeUrl: type, resourceNamesUnsubscribe: ["a"] });
  await stream.quiet();
  server.xds.setSnapshot(snapshot(3, { [type]: [resource("a"), resource("b")] }));
  await stream.quiet();
  stream.send({ typeUrl: type, resourceNamesSubscribe: ["*"] });
  expect(summary(await stream.take())).toEqual(said(["a", "b"]));
});

test("types have nothing to do with each other", async () => {
  using server = await TestServer.start();
  server.xds.setSnapshot(
    snapshot(1, { [type]: [resource("a")], "type.test/Other": [resource("a", "other")] }),
  );
  using connection = connect(server);
  const { stream } = connection;
  stream.send({ typeUrl: type, resourceNamesSubscribe: ["a"] });
  expect(summary(await stream.take())).toEqual(said(["a"]));
  stream.send({ typeUrl: "type.test/Other", resourceNamesSubscribe: ["*"] });
  expect(summary(await stream.take())).toEqual({ type: "type.test/Other", added: ["a=other"], removed: [] });
  stream.send({ typeUrl: type, resourceNamesUnsubscribe: ["a"] });
  await stream.quiet();
  server.xds.setSnapshot(snapshot(2, { [type]: [], "type.test/Other": [resource("a", "newer")] }));
  expect(summary(await stream.take())).toEqual({ type: "type.test/Other", added: ["a=newer"], removed: [] });
});

test("a node gets what is for all and what is for it, by NODE_NAME", async () => {
  using server = await TestServer.start();
  const forAll = resource("all");
  const workloads = (one: string, two: string) => ({
    [type]: [forAll, resource("w1", "w1", one), resource("w2", "w2", two)],
  });
  server.xds.setSnapshot(snapshot(1, workloads("n1", "n2")));
  using one = connect(server);
  using two = connect(server);
  using nobody = connect(server);
  one.stream.send({ node: node("n1"), typeUrl: type });
  two.stream.send({ node: node("n2"), typeUrl: type, resourceNamesSubscribe: ["w1", "w2", "all"] });
  nobody.stream.send({ typeUrl: type });
  expect(summary(await one.stream.take())).toEqual(said(["all", "w1"]));
  expect(summary(await two.stream.take())).toEqual(said(["w2", "all"], ["w1"]));
  expect(summary(await nobody.stream.take())).toEqual(said(["all"]));
  // The same bytes, and so the same versions, on other nodes.
  server.xds.setSnapshot(snapshot(2, workloads("n2", "n1")));
  expect(summary(await one.stream.take())).toEqual(said(["w2"]));
  expect(summary(await one.stream.take())).toEqual(said([], ["w1"]));
  expect(summary(await two.stream.take())).toEqual(said(["w1"]));
  expect(summary(await two.stream.take())).toEqual(said([], ["w2"]));
  await nobody.stream.quiet();
});

test("a resource for a node without a name is for nobody", async () => {
  using server = await TestServer.start();
  server.xds.setSnapshot(snapshot(1, { [type]: [resource("unscheduled", "x", "")] }));
  using connection = connect(server);
  connection.stream.send({ node: { id: "nameless" }, typeUrl: type });
  expect(summary(await connection.stream.take())).toEqual(said([]));
});

test("one resource is serialised once for all nodes", async () => {
  using server = await serving("a", "b");
  const connections = Array.from({ length: 5 }, () => connect(server));
  for (const { stream } of connections) stream.send({ typeUrl: type });
  for (const { stream } of connections) expect(summary(await stream.take())).toEqual(said(["a", "b"]));
  expect(server.xds.encoder.count).toBe(2);
  for (const connection of connections) connection[Symbol.dispose]();
});
