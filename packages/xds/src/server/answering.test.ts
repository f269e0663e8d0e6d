import { expect, test } from "vitest";
import { connect, node } from "../testing/node-streams.ts";
import { resource, snapshot } from "../testing/resources.ts";
import { summary } from "../testing/summary.ts";
import { TestServer } from "../testing/test-server.ts";
import { versions } from "../testing/type-status.ts";

const type = "type.test/Thing";
const said = (added: string[], removed: string[] = []) => ({ type, added, removed });
const things = (version: number, ...texts: string[]) =>
  snapshot(version, { [type]: texts.map((text) => resource(text.charAt(0), text)) });

const acks = (server: TestServer) =>
  server.eventsOf("ack").flatMap(({ typeUrl, version }) => (typeUrl === type ? [version] : []));

/** A server with one node that holds version 1: the things a and b. */
async function settled() {
  const server = await TestServer.start();
  server.xds.setSnapshot(things(1, "a", "b"));
  const { client, stream } = connect(server);
  stream.send({ node: node("n1"), typeUrl: type });
  await stream.take();
  await stream.quiet();
  const stack = new DisposableStack();
  stack.use(client);
  stack.use(server);
  const status = () => server.xds.nodes()[0];
  /** Resolves when the server has read all that was sent: it answers for a type then that nobody else asks for. */
  const read = async () => {
    stream.send({ typeUrl: "type.test/Marker" });
    expect((await stream.take()).typeUrl).toBe("type.test/Marker");
  };
  return { server, client, stream, status, read, [Symbol.dispose]: () => stack.dispose() };
}

test("an ack makes a version the acked one", async () => {
  using world = await settled();
  const { server, stream, status } = world;
  expect(status()).toMatchObject({ types: { [type]: { sentVersion: "1", ackedVersion: "1" } } });
  await expect.poll(() => status()?.pendingSince).toBeUndefined();
  server.xds.setSnapshot(things(2, "a2", "b"));
  const response = await stream.next();
  expect(status()).toMatchObject({ types: { [type]: { sentVersion: "2", ackedVersion: "1" } } });
  expect(status()?.pendingSince).toBeInstanceOf(Date);
  stream.ack(response);
  await stream.quiet();
  expect(status()).toMatchObject({ types: { [type]: { sentVersion: "2", ackedVersion: "2" } } });
  await expect.poll(() => status()?.pendingSince).toBeUndefined();
  expect(acks(server)).toEqual(["1", "2"]);
});

test("what was acked is not sent again", async () => {
  using world = await settled();
  const { server, stream } = world;
  server.xds.setSnapshot(things(2, "a", "b"));
  await stream.quiet();
});

test("a nack is kept with its reason, and what it rejected is sent again only when it changes", async () => {
  using world = await settled();
  const { server, stream, status } = world;
  server.xds.setSnapshot(things(2, "a2", "b"));
  stream.nack(await stream.next(), "a2 does not fit");
  await stream.quiet();
  expect(status()?.types[type]).toMatchObject({
    sentVersion: "2",
    ackedVersion: "1",
    rejection: { version: "2", message: "a2 does not fit" },
  });
  expect(server.eventsOf("nack")).toEqual([
    { kind: "nack", node: "n1", typeUrl: type, version: "2", message: "a2 does not fit" },
  ]);
  await expect.poll(() => status()?.pendingSince).toBeUndefined();
  server.xds.setSnapshot(things(3, "a2", "b", "c"));
  expect(summary(await stream.take())).toEqual(said(["c"]));
  await stream.quiet();
  expect(status()?.types[type]).toMatchObject({ ackedVersion: "3", rejection: { version: "2" } });
  server.xds.setSnapshot(things(4, "a4", "b", "c"));
  expect(summary(await stream.take())).toEqual(said(["a=a4"]));
  await stream.quiet();
  expect(status()?.types[type]).toEqual(versions("4", "4"));
});

test("going back to the version before the rejected one ends the rejection", async () => {
  using world = await settled();
  const { server, stream, status } = world;
  server.xds.setSnapshot(things(2, "a2", "b"));
  stream.nack(await stream.next(), "no");
  server.xds.setSnapshot(things(3, "a", "b"));
  expect(summary(await stream.take())).toEqual(said(["a"]));
  await stream.quiet();
  expect(status()?.types[type]).toEqual(versions("3", "3"));
});

test("a rejected resource that is removed is told as removed", async () => {
  using world = await settled();
  const { server, stream } = world;
  server.xds.setSnapshot(things(2, "a", "b", "c"));
  stream.nack(await stream.next(), "no");
  server.xds.setSnapshot(things(3, "a", "b"));
  expect(summary(await stream.take())).toEqual(said([], ["c"]));
});

test("a rejected resource is sent again to who asks for it again", async () => {
  using world = await settled();
  const { server, stream } = world;
  server.xds.setSnapshot(things(2, "a2", "b"));
  stream.nack(await stream.next(), "no");
  stream.send({ typeUrl: type, resourceNamesSubscribe: ["a"] });
  expect(summary(await stream.take())).toEqual(said(["a=a2"]));
});

test("a rejected removal is not repeated", async () => {
  using world = await settled();
  const { server, stream } = world;
  server.xds.setSnapshot(things(2, "a"));
  const removal = await stream.next();
  expect(summary(removal)).toEqual(said([], ["b"]));
  stream.nack(removal, "in use");
  await stream.quiet();
  server.xds.setSnapshot(things(3, "a", "b"));
  expect(summary(await stream.take())).toEqual(said(["b"]));
});

test("the text of a nack is cut, not the rest of the request", async () => {
  using world = await settled();
  const { server, stream, status } = world;
  server.xds.setSnapshot(things(2, "a2", "b"));
  const response = await stream.next();
  stream.ack(response, {
    errorDetail: { code: 3, message: "x".repeat(1_000_000) },
    resourceNamesSubscribe: ["b"],
  });
  expect(summary(await stream.take())).toEqual(said(["b"]));
  expect(status()?.types[type]?.rejection?.message).toBe("x".repeat(4_096));
});

test("a stale nonce acks nothing and rejects nothing, but its subscription changes count", async () => {
  using world = await settled();
  const { server, stream, status, read } = world;
  server.xds.setSnapshot(things(2, "a2", "b"));
  const second = await stream.take();
  server.xds.setSnapshot(things(3, "a3", "b"));
  const third = await stream.next();
  for (const nonce of [second.nonce, "never sent"]) {
    stream.send({ typeUrl: type, responseNonce: nonce });
    stream.send({ typeUrl: type, responseNonce: nonce, errorDetail: { message: "stale" } });
  }
  await read();
  expect(status()?.types[type]).toEqual(versions("3", "2"));
  expect(server.eventsOf("nack")).toEqual([]);
  stream.send({ typeUrl: type, responseNonce: second.nonce, resourceNamesSubscribe: ["b"] });
  stream.ack(third);
  expect(summary(await stream.take())).toEqual(said(["b"]));
});

test("a nonce counts for its own type only", async () => {
  using world = await settled();
  const { server, stream, status, read } = world;
  server.xds.setSnapshot(things(2, "a2", "b"));
  const { nonce } = await stream.next();
  stream.send({ typeUrl: "type.test/Other", responseNonce: nonce });
  stream.send({ typeUrl: "type.test/Other", responseNonce: nonce });
  expect((await stream.take()).typeUrl).toBe("type.test/Other");
  await read();
  expect(status()?.types[type]).toMatchObject({ ackedVersion: "1" });
  stream.send({ typeUrl: type, responseNonce: nonce });
  await stream.quiet();
  expect(status()?.types[type]).toMatchObject({ ackedVersion: "2" });
});

test("a second ack of the same response is stale", async () => {
  using world = await settled();
  const { server, stream } = world;
  server.xds.setSnapshot(things(2, "a2", "b"));
  const response = await stream.next();
  stream.ack(response);
  stream.nack(response, "changed its mind");
  await stream.quiet();
  expect(acks(server)).toEqual(["1", "2"]);
  expect(server.eventsOf("nack")).toEqual([]);
});

test("a nonce of an earlier stream means nothing on a new one", async () => {
  using world = await settled();
  const { server, client } = world;
  const another = client.open();
  another.send({ node: node("n2"), typeUrl: type, responseNonce: "1", errorDetail: { message: "old" } });
  expect(summary(await another.take())).toEqual(said(["a", "b"]));
  expect(server.eventsOf("nack")).toEqual([]);
});

test("newer snapshots wait while a push is in flight, and the latest wins", async () => {
  using world = await settled();
  const { server, stream, status } = world;
  server.xds.setSnapshot(things(2, "a2", "b", "c"));
  const second = await stream.next();
  expect(summary(second)).toEqual(said(["a=a2", "c"]));
  server.xds.setSnapshot(things(3, "a3", "b", "c", "d"));
  server.xds.setSnapshot(things(4, "a4", "b2"));
  expect(server.eventsOf("push").at(-1)).toMatchObject({ version: "2" });
  expect(status()?.pendingSince).toBeInstanceOf(Date);
  stream.ack(second);
  const fourth = await stream.next();
  expect(fourth.systemVersionInfo).toBe("4");
  expect(summary(fourth)).toEqual(said(["a=a4", "b=b2"]));
  expect(summary(await stream.next())).toEqual(said([], ["c"]));
});

test("a change that is taken back while a push is in flight is never sent", async () => {
  using world = await settled();
  const { server, stream } = world;
  server.xds.setSnapshot(things(2, "a2", "b"));
  const second = await stream.next();
  server.xds.setSnapshot(things(3, "a2", "b3"));
  server.xds.setSnapshot(things(4, "a2", "b"));
  stream.ack(second);
  await expect.poll(() => acks(server)).toEqual(["1", "2"]);
  await stream.quiet();
});

test("a newer snapshot is not held up by a nack of the one in flight", async () => {
  using world = await settled();
  const { server, stream } = world;
  server.xds.setSnapshot(things(2, "a2", "b"));
  const second = await stream.next();
  server.xds.setSnapshot(things(3, "a3", "b"));
  stream.nack(second, "no");
  expect(summary(await stream.take())).toEqual(said(["a=a3"]));
});

test("who does not answer holds up nobody else", async () => {
  using world = await settled();
  const { server } = world;
  using another = connect(server);
  another.stream.send({ typeUrl: type });
  await another.stream.take();
  for (const version of [2, 3, 4]) {
    server.xds.setSnapshot(things(version, `a${version}`, "b"));
    expect(summary(await another.stream.take())).toEqual(said([`a=a${version}`]));
  }
});
