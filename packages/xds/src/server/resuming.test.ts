import { expect, test } from "vitest";
import { connect } from "../testing/node-streams.ts";
import { resource, snapshot } from "../testing/resources.ts";
import { summary } from "../testing/summary.ts";
import { TestServer } from "../testing/test-server.ts";

const type = "type.test/Thing";
const said = (added: string[], removed: string[] = []) => ({ type, added, removed });
const [a, b, c] = [resource("a"), resource("b"), resource("c")] as const;

async function serving(): Promise<TestServer> {
  const server = await TestServer.start();
  server.xds.setSnapshot(snapshot(5, { [type]: [a, b, c] }));
  return server;
}

test("a client that holds everything gets an empty answer", async () => {
  using server = await serving();
  using connection = connect(server);
  const { stream } = connection;
  const initialResourceVersions = { a: a.version, b: b.version, c: c.version };
  stream.send({ typeUrl: type, resourceNamesSubscribe: ["*"], initialResourceVersions });
  const answer = await stream.take();
  expect(summary(answer)).toEqual(said([]));
  expect(answer.systemVersionInfo).toBe("5");
  await stream.quiet();
  server.xds.setSnapshot(snapshot(6, { [type]: [a, resource("b", "new")] }));
  expect(summary(await stream.take())).toEqual(said(["b=new"]));
  expect(summary(await stream.take())).toEqual(said([], ["c"]));
});

test("what changed is sent, what is gone is removed, what is held is not sent again", async () => {
  using server = await serving();
  using connection = connect(server);
  const { stream } = connection;
  const initialResourceVersions = { a: a.version, b: "old", gone: "1" };
  stream.send({ typeUrl: type, resourceNamesSubscribe: ["*"], initialResourceVersions });
  expect(summary(await stream.take())).toEqual(said(["b", "c"]));
  expect(summary(await stream.take())).toEqual(said([], ["gone"]));
});

test("names resume as the wildcard does", async () => {
  using server = await serving();
  using connection = connect(server);
  const { stream } = connection;
  const initialResourceVersions = { a: a.version, b: "old", gone: "1" };
  stream.send({
    typeUrl: type,
    resourceNamesSubscribe: ["a", "b", "gone", "never"],
    initialResourceVersions,
  });
  expect(summary(await stream.take())).toEqual(said(["b"], ["never"]));
  expect(summary(await stream.take())).toEqual(said([], ["gone"]));
});

test("only the first request of a type may say what is held", async () => {
  using server = await serving();
  using connection = connect(server);
  const { stream } = connection;
  stream.send({ typeUrl: type, resourceNamesSubscribe: ["a"] });
  await stream.take();
  stream.send({
    typeUrl: type,
    resourceNamesSubscribe: ["b"],
    initialResourceVersions: { b: b.version, gone: "1" },
  });
  expect(summary(await stream.take())).toEqual(said(["b"]));
});

test("a rejected version is sent again on a new stream to who does not say that it holds it", async () => {
  using server = await serving();
  using connection = connect(server);
  const { client, stream } = connection;
  stream.send({ typeUrl: type });
  stream.nack(await stream.next(), "no memory");
  stream.cancel();
  const next = client.open();
  next.send({ typeUrl: type, initialResourceVersions: { b: b.version } });
  expect(summary(await next.take())).toEqual(said(["a", "c"]));
});

test("a node that holds more than fits into gRPC's 4 MiB can say so", async () => {
  const names = Array.from({ length: 25_000 }, (_, index) => `outbound|9080|v1|service-${index}.default.svc`);
  using server = await TestServer.start();
  server.xds.setSnapshot(snapshot(1, { [type]: names.map((name) => resource(name)) }));
  using connection = connect(server);
  const long = "0".repeat(150);
  const initialResourceVersions = Object.fromEntries(names.map((name) => [name, long]));
  expect(JSON.stringify(initialResourceVersions).length).toBeGreaterThan(4 * 1024 * 1024);
  connection.stream.send({ typeUrl: type, initialResourceVersions });
  expect((await connection.stream.take()).resources).toHaveLength(names.length);
});
