// What the state of the world has for itself; the rest stands beside delta's.
import { create, toBinary } from "@bufbuild/protobuf";
import { DiscoveryRequestSchema } from "@envoyproxy/xds-protos/envoy/service/discovery/v3/discovery_pb.js";
import { expect, test } from "vitest";
import { AdsPeer } from "../testing/ads-peer.ts";
import { node } from "../testing/node-streams.ts";
import { resource, snapshot } from "../testing/resources.ts";
import { TestServer } from "../testing/test-server.ts";
import type { XdsServerOptions } from "./xds-server.ts";

const [whole, byName] = ["type.test/Whole", "type.test/ByName"] as const;

async function serving(options: Partial<XdsServerOptions> = {}) {
  const types = [{ typeUrl: whole }, { typeUrl: byName, wildcard: false }];
  const server = await TestServer.start({ types, ...options });
  const list = ["a", "b", "c"].map((name) => resource(name));
  server.xds.setSnapshot(snapshot(1, { [whole]: list, [byName]: list }));
  const peer = new AdsPeer(server.address, "sotw", node("n1"));
  const stack = new DisposableStack();
  stack.use(server);
  stack.use(peer);
  /** Exactly this request. */
  const say = (typeUrl: string, resourceNames: string[], responseNonce = "") => {
    const request = create(DiscoveryRequestSchema, { typeUrl, resourceNames, responseNonce });
    peer.stream.sendBytes(toBinary(DiscoveryRequestSchema, request));
  };
  return { server, peer, say, [Symbol.dispose]: () => stack.dispose() };
}

test("a rejection of what was sent on an earlier stream is not answered", async () => {
  using world = await serving();
  const { server, peer } = world;
  peer.send({ typeUrl: byName, more: ["a"], nonce: "old", error: "no" });
  await peer.quiet();
  expect(server.eventsOf("nack")).toEqual([]);
  peer.send({ typeUrl: byName, more: ["a"], nonce: "old" });
  expect((await peer.take()).texts).toEqual(["a"]);
});

test("a first request without names of a type without a wildcard wants nothing, and is not answered", async () => {
  using world = await serving();
  const { server, peer, say } = world;
  peer.ask(byName);
  await peer.quiet();
  say(byName, ["b"]);
  const first = await peer.next();
  expect(first.texts).toEqual(["b"]);
  say(byName, ["b"], first.nonce);
  server.xds.setSnapshot(snapshot(2, { [byName]: [resource("b", "b2")] }));
  expect((await peer.next()).texts).toEqual(["b2"]);
});

test("what is gone is removed although some type is open of which nothing is wanted", async () => {
  using world = await serving();
  const { server, peer } = world;
  peer.ask(byName);
  peer.ask(whole);
  await peer.take();
  server.xds.setSnapshot(snapshot(2, { [whole]: [resource("a")] }));
  expect((await peer.take()).texts).toEqual(["a"]);
});

test("no names any more end a subscription by name, also of a type with a wildcard", async () => {
  using world = await serving();
  const { server, peer, say } = world;
  say(whole, ["a"]);
  const first = await peer.next();
  expect(first.texts).toEqual(["a"]);
  say(whole, [], first.nonce);
  await peer.quiet();
  server.xds.setSnapshot(snapshot(2, { [whole]: [resource("a", "a2")] }));
  await peer.quiet();
  say(whole, ["a"], first.nonce);
  expect((await peer.next()).texts).toEqual(["a2"]);
});

test("no names any more end a wildcard that was said", async () => {
  using world = await serving();
  const { server, peer, say } = world;
  say(whole, ["*"]);
  const first = await peer.next();
  expect(first.texts).toEqual(["a", "b", "c"]);
  say(whole, [], first.nonce);
  server.xds.setSnapshot(snapshot(2, { [whole]: [resource("a", "a2")] }));
  await peer.quiet();
});

test("a wildcard that was not said goes on without names", async () => {
  using world = await serving();
  const { server, peer, say } = world;
  say(whole, []);
  const first = await peer.next();
  say(whole, [], first.nonce);
  server.xds.setSnapshot(snapshot(2, { [whole]: [resource("a")] }));
  expect((await peer.take()).texts).toEqual(["a"]);
});

test("what is gone is still there in the response that brings something new, and not in the next", async () => {
  using world = await serving();
  const { server, peer } = world;
  peer.ask(whole);
  await peer.take();
  server.xds.setSnapshot(snapshot(2, { [whole]: [resource("a", "a2")] }));
  expect([...(await peer.take()).texts].sort()).toEqual(["a2", "b", "c"]);
  expect((await peer.take()).texts).toEqual(["a2"]);
  await peer.quiet();
});

test("a request without a nonce begins anew, when the response before it is answered", async () => {
  using world = await serving();
  const { peer, say } = world;
  say(byName, ["a"]);
  const first = await peer.next();
  say(byName, ["a", "b"]);
  await peer.quiet();
  say(byName, ["a", "b"], first.nonce);
  expect([...(await peer.take()).texts].sort()).toEqual(["a", "b"]);
  say(byName, ["a"]);
  expect((await peer.take()).texts).toEqual(["a"]);
});

test("some clients get all again when they ask for more", async () => {
  using world = await serving({ answersInFull: ({ id }) => id === "test~n1" });
  const { peer } = world;
  peer.ask(byName, "a");
  const first = await peer.next();
  peer.ack(first, ["b"]);
  expect([...(await peer.take()).texts].sort()).toEqual(["a", "b"]);
});

test("names that are asked for by name of a type with a wildcard are all in each response", async () => {
  using world = await serving();
  const { server, peer, say } = world;
  say(whole, ["a", "b", "lost"]);
  const first = await peer.next();
  expect(first.texts).toEqual(["a", "b"]);
  say(whole, ["a", "b", "lost"], first.nonce);
  server.xds.setSnapshot(snapshot(2, { [whole]: [resource("a"), resource("b", "b2"), resource("d")] }));
  const second = await peer.next();
  expect([...second.texts].sort()).toEqual(["a", "b2"]);
  say(whole, ["a", "b", "lost"], second.nonce);
  server.xds.setSnapshot(snapshot(3, { [whole]: [resource("b", "b2")] }));
  expect((await peer.next()).texts).toEqual(["b2"]);
});

test("a client that answers nothing gets one response of a type, however often it asks", async () => {
  using world = await serving();
  const { server, peer, say } = world;
  for (let count = 0; count < 50; count += 1) say(whole, []);
  await peer.next();
  peer.ask("type.test/Marker");
  expect((await peer.next()).typeUrl).toBe("type.test/Marker");
  expect(server.eventsOf("push").filter(({ typeUrl }) => typeUrl === whole)).toHaveLength(1);
});
