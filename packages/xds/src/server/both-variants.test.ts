import { describe, expect, test } from "vitest";
import { AdsPeer } from "../testing/ads-peer.ts";
import { node } from "../testing/node-streams.ts";
import { resource, snapshot } from "../testing/resources.ts";
import { TestServer } from "../testing/test-server.ts";
import type { Variant } from "./ads-request.ts";

/** A type with a wildcard, and one whose resources are asked for by name. */
const [whole, byName] = ["type.test/Whole", "type.test/ByName"] as const;
const types = [{ typeUrl: whole }, { typeUrl: byName, wildcard: false }];

const list = (...texts: string[]) => texts.map((text) => resource(text.charAt(0), text));
const serve = (server: TestServer, version: number, ...texts: string[]) =>
  server.xds.setSnapshot(snapshot(version, { [whole]: list(...texts), [byName]: list(...texts) }));

describe.each<Variant>(["delta", "sotw"])("%s", (variant) => {
  async function serving(...texts: string[]) {
    const server = await TestServer.start({ types });
    serve(server, 1, ...texts);
    const peer = new AdsPeer(server.address, variant, node("n1"));
    const stack = new DisposableStack();
    stack.use(server);
    stack.use(peer);
    return { server, peer, [Symbol.dispose]: () => stack.dispose() };
  }

  test("a first request gets an answer, even an empty one", async () => {
    using world = await serving();
    world.peer.ask(whole);
    expect(await world.peer.take()).toMatchObject({ typeUrl: whole, version: "1", texts: [] });
    await world.peer.quiet();
  });

  test("a first request waits for the first snapshot", async () => {
    using server = await TestServer.start({ types });
    using peer = new AdsPeer(server.address, variant, node("n1"));
    peer.ask(byName, "a");
    await expect.poll(() => server.eventsOf("connected")).toHaveLength(1);
    expect(server.eventsOf("push")).toEqual([]);
    serve(server, 1, "a", "b");
    expect((await peer.take()).texts).toEqual(["a"]);
  });

  test("a server that refuses until it is ready says so", async () => {
    using server = await TestServer.start({ types, refusesUntilReady: true });
    using early = new AdsPeer(server.address, variant, node("n1"));
    early.ask(whole);
    expect(await early.stream.ended).toMatchObject({
      code: 14,
      details: "the control plane has no configuration to serve yet",
    });
    serve(server, 1, "a");
    using late = new AdsPeer(server.address, variant, node("n1"));
    late.ask(whole);
    expect((await late.take()).texts).toEqual(["a"]);
  });

  test("everything is everything, and later what changed", async () => {
    using world = await serving("a", "b");
    const { server, peer } = world;
    peer.ask(whole);
    expect((await peer.take()).texts).toEqual(["a", "b"]);
    serve(server, 2, "a", "b2", "c");
    const second = await peer.take();
    expect([...second.texts].sort()).toEqual(variant === "delta" ? ["b2", "c"] : ["a", "b2", "c"]);
    serve(server, 3, "c", "a");
    const third = await peer.take();
    expect([[...third.texts].sort(), third.removed]).toEqual(
      variant === "delta" ? [[], ["b"]] : [["a", "c"], []],
    );
    serve(server, 4, "a", "c");
    await peer.quiet();
  });

  test("names are these and no others, then and later", async () => {
    using world = await serving("a", "b", "c");
    const { server, peer } = world;
    peer.ask(byName, "b", "a", "later");
    expect((await peer.take()).texts).toEqual(["b", "a"]);
    serve(server, 2, "a2", "b", "c2", "d");
    expect((await peer.take()).texts).toEqual(["a2"]);
    serve(server, 3, "a2", "b", "c3", "later");
    await peer.quiet();
  });

  test("more names bring these alone, with or without an ack", async () => {
    using world = await serving("a", "b", "c");
    const { peer } = world;
    peer.ask(byName, "a");
    const first = await peer.next();
    peer.ack(first, ["b"]);
    expect((await peer.take()).texts).toEqual(["b"]);
    peer.ask(byName, "c", "x");
    const third = await peer.take();
    expect(third.texts).toEqual(["c"]);
    expect(third.removed).toEqual(variant === "delta" ? ["x"] : []);
    await peer.quiet();
  });

  test("what is not wanted any more is not sent, and not answered", async () => {
    using world = await serving("a", "b");
    const { server, peer } = world;
    peer.ask(byName, "a", "b");
    await peer.take();
    peer.drop(byName, "a");
    await peer.quiet();
    serve(server, 2, "a2", "b2");
    expect((await peer.take()).texts).toEqual(["b2"]);
    peer.drop(byName, "b");
    await peer.quiet();
    serve(server, 3, "a3", "b3");
    await peer.quiet();
    peer.ask(byName, "a");
    expect((await peer.take()).texts).toEqual(["a3"]);
  });

  test("a nack is remembered, and what it was about is sent again when it changes", async () => {
    using world = await serving("a", "b");
    const { server, peer } = world;
    peer.ask(byName, "a", "b");
    await peer.take();
    await peer.quiet();
    serve(server, 2, "a2", "b");
    peer.nack(await peer.next(), "a2 does not fit");
    await peer.quiet();
    const status = () => server.xds.nodes()[0]?.types[byName];
    expect(status()).toMatchObject({
      sentVersion: "2",
      ackedVersion: "1",
      rejection: { version: "2", message: "a2 does not fit" },
    });
    serve(server, 3, "a3", "b");
    expect((await peer.take()).texts).toEqual(["a3"]);
    await peer.quiet();
    expect(status()).toMatchObject({ sentVersion: "3", ackedVersion: "3" });
    expect(status()).not.toHaveProperty("rejection");
  });

  test("a nonce that was not sent last acks nothing", async () => {
    using world = await serving("a");
    const { server, peer } = world;
    peer.ask(whole);
    const first = await peer.take();
    await peer.quiet();
    serve(server, 2, "a2");
    const second = await peer.next();
    peer.ack(first);
    peer.nack({ ...second, nonce: "never sent" }, "no");
    await peer.quiet();
    expect(server.xds.nodes()[0]?.types[whole]).toMatchObject({ sentVersion: "2", ackedVersion: "1" });
    peer.ack(second);
    await peer.quiet();
    expect(server.xds.nodes()[0]?.types[whole]).toMatchObject({
      ackedVersion: "2",
      ackedNonce: second.nonce,
    });
    expect(server.eventsOf("nack")).toEqual([]);
  });

  test("newer snapshots wait while a push is in flight, and the latest wins", async () => {
    using world = await serving("a");
    const { server, peer } = world;
    peer.ask(whole);
    await peer.take();
    await peer.quiet();
    serve(server, 2, "a2");
    const second = await peer.next();
    serve(server, 3, "a3");
    serve(server, 4, "a4");
    await peer.quiet();
    peer.ack(second);
    expect(await peer.take()).toMatchObject({ version: "4", texts: ["a4"] });
    await peer.quiet();
  });

  test("a change that is taken back while a push is in flight is never sent", async () => {
    using world = await serving("a", "b");
    const { server, peer } = world;
    peer.ask(byName, "a", "b");
    await peer.take();
    await peer.quiet();
    serve(server, 2, "a2", "b");
    const second = await peer.next();
    serve(server, 3, "a2", "b3");
    serve(server, 4, "a2", "b");
    peer.ack(second);
    await peer.quiet();
  });

  test("a node gets what is for all, and what is for it", async () => {
    using world = await serving();
    const { server, peer } = world;
    const own = (name: string, owner: string) => resource(name, name, owner);
    const things = [own("x", "n2"), own("y", "n1"), resource("z")];
    server.xds.setSnapshot(snapshot(2, { [whole]: things }));
    peer.ask(whole);
    expect([...(await peer.take()).texts].sort()).toEqual(["y", "z"]);
  });

  test("a resource is encoded once for all streams of a variant", async () => {
    using world = await serving("a", "b");
    using other = new AdsPeer(world.server.address, variant, node("n2"));
    for (const peer of [world.peer, other]) {
      peer.ask(whole);
      expect((await peer.take()).texts).toEqual(["a", "b"]);
    }
    expect(world.server.xds.encoder.count).toBe(2);
  });

  test("status tells the variant, the connection and the nonces", async () => {
    using world = await serving("a");
    const { server, peer } = world;
    peer.ask(whole);
    const { nonce } = await peer.take();
    await peer.quiet();
    const [status] = server.xds.nodes();
    expect(status).toMatchObject({ variant, types: { [whole]: { sentNonce: nonce, ackedNonce: nonce } } });
    expect(status?.connectionId).toMatch(/^test~n1-\d+$/);
    expect(server.xds.size).toBe(1);
  });
});
