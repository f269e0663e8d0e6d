import { status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { connect, node } from "../testing/node-streams.ts";
import { resource, snapshot } from "../testing/resources.ts";
import { TestServer } from "../testing/test-server.ts";

const type = "type.test/Thing";

test("a stream can be looked at: what it asked for, what it should hold, when it was sent something", async () => {
  using server = await TestServer.start();
  server.xds.setSnapshot(snapshot(1, { [type]: [resource("b"), resource("a")] }));
  const [all, some] = [connect(server), connect(server)];
  using stack = new DisposableStack();
  stack.use(all.client);
  stack.use(some.client);
  all.stream.send({ node: node("n1"), typeUrl: type });
  some.stream.send({ node: node("n2"), typeUrl: type, resourceNamesSubscribe: ["c", "b"] });
  await all.stream.take();
  await some.stream.take();
  await all.stream.quiet();
  await some.stream.quiet();
  const [one, two] = server.xds.views().sort((a, b) => (a.name < b.name ? -1 : 1));
  expect(one?.number).not.toBe(two?.number);
  expect([one?.names(type), two?.names(type)]).toEqual([
    ["a", "b"],
    ["b", "c"],
  ]);
  expect(one?.resources(type).map(({ name }) => name)).toEqual(["b", "a"]);
  expect(two?.resources(type).map(({ name }) => name)).toEqual(["b"]);
  expect(one?.resources("type.test/Other")).toEqual([]);
  expect(one?.sentAt(type)).toBeInstanceOf(Date);
});

test("one stream can be ended", async () => {
  using server = await TestServer.start();
  server.xds.setSnapshot(snapshot(1, { [type]: [] }));
  const [first, second] = [connect(server), connect(server)];
  using stack = new DisposableStack();
  stack.use(first.client);
  stack.use(second.client);
  for (const [{ stream }, name] of [
    [first, "n1"],
    [second, "n2"],
  ] as const) {
    stream.send({ node: node(name), typeUrl: type });
    await stream.take();
  }
  const found = server.xds.views().find(({ name }) => name === "n1");
  server.xds.disconnect(found?.number ?? 0);
  expect(await first.stream.ended).toMatchObject({ code: status.UNAVAILABLE });
  await second.stream.quiet();
});

test("a node that held a version is said to be brought to the next one", async () => {
  using server = await TestServer.start();
  server.xds.setSnapshot(snapshot(1, { [type]: [resource("a")] }));
  using stack = new DisposableStack();
  const { client, stream } = connect(server);
  stack.use(client);
  stream.send({ node: node("n1"), typeUrl: type });
  await stream.take();
  await stream.quiet();
  expect(server.eventsOf("brought")).toEqual([]);
  server.xds.setSnapshot(snapshot(2, { [type]: [resource("a", "a2")] }));
  await stream.take();
  await stream.quiet();
  expect(server.eventsOf("brought")).toEqual([{ kind: "brought", node: "n1", version: "2" }]);
  expect(server.eventsOf("push").every(({ seconds }) => seconds >= 0)).toBe(true);
});
