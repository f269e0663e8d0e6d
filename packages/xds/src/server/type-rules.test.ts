import type { Resource } from "@keelson/protos";
import { describe, expect, test } from "vitest";
import { AdsPeer } from "../testing/ads-peer.ts";
import { node } from "../testing/node-streams.ts";
import { resource, snapshot } from "../testing/resources.ts";
import { TestServer } from "../testing/test-server.ts";
import type { Variant } from "./ads-request.ts";
import type { TypeRule } from "./type-rules.ts";
import { noResources } from "./view.ts";
import type { XdsServerOptions } from "./xds-server.ts";

const [clusters, endpoints, routes] = [
  "type.test/Cluster",
  "type.test/Endpoints",
  "type.test/Route",
] as const;
const staged: readonly TypeRule[] = [
  { typeUrl: clusters, settling: true, followedBy: endpoints },
  { typeUrl: endpoints, settling: true, wildcard: false, independent: true },
  { typeUrl: routes, settling: true, stage: 1 },
];

/** Resources whose names are the first letters of their texts. */
const named = (...texts: string[]) => texts.map((text) => resource(text.charAt(0), text));

interface Content {
  readonly clusters: readonly string[];
  readonly endpoints: readonly string[];
  readonly routes: readonly string[];
}

describe.each<Variant>(["delta", "sotw"])("%s", (variant) => {
  async function serving(rules: readonly TypeRule[], options: Partial<XdsServerOptions> = {}) {
    const server = await TestServer.start({ types: rules, ...options });
    const peer = new AdsPeer(server.address, variant, node("n1"));
    const stack = new DisposableStack();
    stack.use(server);
    stack.use(peer);
    let version = 0;
    const set = (types: Readonly<Record<string, readonly Resource[]>>) => {
      version += 1;
      server.xds.setSnapshot(snapshot(version, types));
    };
    return { server, peer, set, [Symbol.dispose]: () => stack.dispose() };
  }

  /** A client that holds a cluster, its endpoints, and a route to it. */
  async function proxy(options: Partial<XdsServerOptions> = {}) {
    const world = await serving(staged, options);
    const set = (content: Content) =>
      world.set({
        [clusters]: named(...content.clusters),
        [endpoints]: named(...content.endpoints),
        [routes]: named(...content.routes),
      });
    set({ clusters: ["a"], endpoints: ["a"], routes: ["r to a"] });
    const { peer } = world;
    peer.ask(clusters);
    await peer.take();
    peer.ask(endpoints, "a");
    await peer.take();
    peer.ask(routes);
    await peer.take();
    await peer.quiet();
    return { ...world, set };
  }

  test("what refers to a type waits until that is answered; what is gone goes last", async () => {
    using world = await proxy();
    const { peer, set } = world;
    set({ clusters: ["b"], endpoints: ["b"], routes: ["r to b"] });
    const made = await peer.next();
    // In the state of the world what is not there any more for others is kept as long.
    expect([...made.texts].sort()).toEqual(variant === "delta" ? ["b"] : ["a", "b"]);
    await peer.quiet();
    // The client answers when the new cluster is ready, for which it needs endpoints.
    peer.ask(endpoints, "b");
    expect(await peer.take()).toMatchObject({ typeUrl: endpoints, texts: ["b"] });
    await peer.quiet();
    peer.ack(made);
    const route = await peer.next();
    expect(route).toMatchObject({ typeUrl: routes, texts: ["r to b"] });
    await peer.quiet();
    peer.ack(route);
    const rest = [await peer.take()];
    if (variant === "delta") rest.push(await peer.take());
    expect(rest.map(({ typeUrl, texts, removed }) => [typeUrl, texts, removed])).toEqual(
      variant === "delta"
        ? [
            [endpoints, [], ["a"]],
            [clusters, [], ["a"]],
          ]
        : [[clusters, ["b"], []]],
    );
    await peer.quiet();
  });

  test("of a type that nothing refers to, what is gone is told with what takes its place", async () => {
    using world = await serving([{ typeUrl: routes, takesPlaces: true }]);
    const { peer, set } = world;
    set({ [routes]: named("r of 80", "s of 90") });
    peer.ask(routes);
    await peer.take();
    set({ [routes]: named("s of 90", "t of 80") });
    const { texts, removed } = await peer.take();
    expect([[...texts].sort(), removed]).toEqual(
      variant === "delta" ? [["t of 80"], ["r"]] : [["s of 90", "t of 80"], []],
    );
    await peer.quiet();
  });

  test("a client that does not answer in time gets the rest all the same", async () => {
    using world = await proxy({ limits: { settleMs: 50 } });
    const { peer, set } = world;
    set({ clusters: ["a", "b"], endpoints: ["a", "b"], routes: ["r to b"] });
    const made = await peer.next();
    expect(await peer.take()).toMatchObject({ typeUrl: routes, texts: ["r to b"] });
    // Nor does it hold up what comes later.
    set({ clusters: ["a", "b"], endpoints: ["a", "b"], routes: ["r to c"] });
    expect(await peer.take()).toMatchObject({ typeUrl: routes, texts: ["r to c"] });
    peer.ack(made);
    await peer.quiet();
  });

  test("a nack ends the waiting as an ack does", async () => {
    using world = await proxy();
    const { peer, set } = world;
    set({ clusters: ["a", "b"], endpoints: ["a", "b"], routes: ["r to b"] });
    peer.nack(await peer.next(), "no");
    expect(await peer.take()).toMatchObject({ typeUrl: routes, texts: ["r to b"] });
  });

  test("endpoints change while clusters are not answered", async () => {
    using world = await proxy();
    const { peer, set } = world;
    set({ clusters: ["a", "b"], endpoints: ["a", "b"], routes: ["r to a"] });
    const made = await peer.next();
    for (const text of ["a2", "a3"]) {
      set({ clusters: ["a", "b"], endpoints: [text, "b"], routes: [`r to ${text}`] });
      expect(await peer.take()).toMatchObject({ typeUrl: endpoints, texts: [text] });
    }
    await peer.quiet();
    peer.ack(made);
    expect(await peer.take()).toMatchObject({ typeUrl: routes, texts: ["r to a3"] });
    await peer.quiet();
  });

  test("endpoints of a cluster that is gone already are there for the client that was sent it", async () => {
    using world = await proxy();
    const { peer, set } = world;
    set({ clusters: ["a", "b"], endpoints: ["a", "b"], routes: ["r to a"] });
    const made = await peer.next();
    set({ clusters: ["a"], endpoints: ["a2"], routes: ["r to a"] });
    expect(await peer.take()).toMatchObject({ typeUrl: endpoints, texts: ["a2"] });
    peer.ask(endpoints, "b");
    expect(await peer.take()).toMatchObject({ typeUrl: endpoints, texts: ["b"] });
    peer.ack(made);
    const rest = [await peer.take()];
    if (variant === "delta") rest.push(await peer.take());
    expect(rest.map(({ typeUrl, texts, removed }) => [typeUrl, texts, removed])).toEqual(
      variant === "delta"
        ? [
            [endpoints, [], ["b"]],
            [clusters, [], ["b"]],
          ]
        : [[clusters, ["a"], []]],
    );
    await peer.quiet();
  });

  test("a client that comes again hears what refers to a cluster when it has the cluster", async () => {
    if (variant === "sotw") return;
    using world = await serving(staged);
    const { peer, set } = world;
    set({ [clusters]: named("b"), [endpoints]: named("b"), [routes]: named("r to b") });
    peer.send({ typeUrl: clusters, held: { a: "" } });
    peer.send({ typeUrl: routes, held: { r: "" } });
    const made = await peer.next();
    expect(made).toMatchObject({ typeUrl: clusters, texts: ["b"], removed: [] });
    await peer.quiet();
    peer.ack(made);
    expect(await peer.take()).toMatchObject({ typeUrl: routes, texts: ["r to b"] });
    expect(await peer.take()).toMatchObject({ typeUrl: clusters, removed: ["a"] });
    await peer.quiet();
  });

  test("a cluster that changes is followed by its endpoints, though they are the same", async () => {
    using world = await proxy();
    const { peer, set } = world;
    set({ clusters: ["a, another way"], endpoints: ["a"], routes: ["r to a"] });
    expect(await peer.take()).toMatchObject({ typeUrl: clusters, texts: ["a, another way"] });
    expect(await peer.take()).toMatchObject({ typeUrl: endpoints, texts: ["a"] });
    await peer.quiet();
  });

  test("after a first request for clusters, endpoints are told again", async () => {
    using world = await serving(staged);
    const { peer, set } = world;
    set({ [clusters]: named("a"), [endpoints]: named("a") });
    peer.ask(endpoints, "a");
    const { nonce } = await peer.take();
    peer.ask(clusters);
    expect(await peer.take()).toMatchObject({ typeUrl: clusters, texts: ["a"] });
    // In the state of the world a client asks by itself, in a request that looks like an ack.
    if (variant === "sotw") peer.send({ typeUrl: endpoints, nonce });
    expect(await peer.take()).toMatchObject({ typeUrl: endpoints, texts: ["a"] });
    await peer.quiet();
  });

  test("what must never be removed is not", async () => {
    const typeUrl = "type.test/Extension";
    using world = await serving([{ typeUrl, wildcard: false, neverRemoved: true }]);
    const { peer, set } = world;
    set({ [typeUrl]: named("a", "b") });
    peer.ask(typeUrl, "a", "lost");
    expect(await peer.take()).toMatchObject({ texts: ["a"], removed: [] });
    peer.ask(typeUrl, "gone");
    expect(await peer.take()).toMatchObject({ texts: [], removed: [] });
    set({ [typeUrl]: named("b") });
    await peer.quiet();
    set({ [typeUrl]: named("a", "b") });
    expect(await peer.take()).toMatchObject({ texts: ["a"] });
  });

  test("versions and nonces look as istiod's, and resources have no version", async () => {
    const typeUrl = "type.test/Timed";
    using world = await serving([{ typeUrl, versionForm: "time", unversioned: true }]);
    const { peer, set } = world;
    set({ [typeUrl]: named("a") });
    peer.ask(typeUrl);
    const { version, nonce, versions } = await peer.take();
    expect(version).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\/1$/);
    expect(nonce).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\/1[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(versions).toEqual(variant === "delta" ? [""] : []);
    set({ [typeUrl]: named("a2") });
    expect((await peer.take()).version).toMatch(/\/2$/);
  });

  test("a type that is told to the server only is not answered, and is no first request", async () => {
    const health = "type.test/Health";
    using world = await serving([{ typeUrl: health, reportOnly: true }, { typeUrl: clusters }]);
    const { server, peer, set } = world;
    set({ [clusters]: named("a") });
    using probe = new AdsPeer(server.address, variant);
    probe.send({ typeUrl: health });
    peer.ask(clusters);
    await peer.take();
    peer.send({ typeUrl: health, error: "503 from /ready" });
    peer.send({ typeUrl: health });
    await peer.quiet();
    expect(server.eventsOf("report")).toEqual([
      { kind: "report", node: "n1", typeUrl: health, error: "503 from /ready" },
      { kind: "report", node: "n1", typeUrl: health, error: undefined },
    ]);
    expect(server.xds.nodes()[0]?.types).not.toHaveProperty([health]);
  });

  test("a name that no list has is looked up, and again when the list changes", async () => {
    const typeUrl = "type.test/Found";
    const list = (...texts: string[]) => new Map(named(...texts).map((each) => [each.name, each]));
    let state = { resources: list("a"), strays: list("s") };
    using world = await serving([{ typeUrl, wildcard: false }], {
      viewOf: () => {
        const { resources, strays } = state;
        return {
          resources: (asked) => (asked === typeUrl ? resources : noResources),
          lookup: (_, name) => strays.get(name),
        };
      },
    });
    const { peer, set } = world;
    const show = (resources: string[], strays: string[]) => {
      state = { resources: list(...resources), strays: list(...strays) };
      set({});
    };
    set({});
    peer.ask(typeUrl, "a", "s", "x");
    expect(await peer.take()).toMatchObject({ texts: ["a", "s"], removed: variant === "delta" ? ["x"] : [] });
    show(["a"], ["s"]);
    await peer.quiet();
    show(["a"], ["s2"]);
    expect((await peer.take()).texts).toEqual(["s2"]);
    // What was a stray is a resource like others, and the other way round.
    show(["s2"], ["a3"]);
    expect((await peer.take()).texts).toEqual(["a3"]);
    show(["s3"], ["a3"]);
    expect((await peer.take()).texts).toEqual(["s3"]);
    show(["s3"], []);
    if (variant === "delta") expect((await peer.take()).removed).toEqual(["a"]);
    await peer.quiet();
  });
});
