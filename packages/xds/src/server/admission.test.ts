import { once } from "node:events";
import { setImmediate as nextTurn } from "node:timers/promises";
import type * as grpc from "@grpc/grpc-js";
import { status } from "@grpc/grpc-js";
import { describe, expect, test } from "vitest";
import { AdsPeer } from "../testing/ads-peer.ts";
import { node } from "../testing/node-streams.ts";
import { resource, snapshot } from "../testing/resources.ts";
import { TestServer } from "../testing/test-server.ts";
import type { Admit } from "./admission.ts";
import type { Variant } from "./ads-request.ts";
import { NodeViews } from "./node-views.ts";
import type { PeerNode } from "./peer-node.ts";
import type { XdsServerOptions } from "./xds-server.ts";

const type = "type.test/Thing";

describe.each<Variant>(["delta", "sotw"])("%s", (variant) => {
  async function guardedBy(admit: Admit, options: Partial<XdsServerOptions> = {}) {
    const server = await TestServer.start({ ...options }, { admit });
    server.xds.setSnapshot(snapshot(1, { [type]: [resource("a"), resource("w1", "w1", "n1")] }));
    const peer = new AdsPeer(server.address, variant, node("n1"));
    const stack = new DisposableStack();
    stack.use(server);
    stack.use(peer);
    return { server, peer, [Symbol.dispose]: () => stack.dispose() };
  }

  test.for([
    ["UNAUTHENTICATED", "no token"],
    ["PERMISSION_DENIED", "the node is another's"],
    ["INVALID_ARGUMENT", "no node id"],
  ] as const)("%s is told with its reason, and nothing else", async ([code, reason]) => {
    using world = await guardedBy(() => ({ admitted: false, code, reason }));
    const { server, peer } = world;
    peer.ask(type);
    expect(await peer.stream.ended).toMatchObject({ code: status[code], details: reason });
    expect(server.eventsOf("refused")).toMatchObject([{ node: "n1", reason }]);
    expect(server.eventsOf("connected")).toEqual([]);
    expect(server.eventsOf("disconnected")).toEqual([]);
    expect(server.xds.size).toBe(0);
  });

  test("what is sent meanwhile is answered when the peer is admitted, in its order", async () => {
    const decided = Promise.withResolvers<void>();
    using world = await guardedBy(async () => {
      await decided.promise;
      return { admitted: true };
    });
    const { server, peer } = world;
    const others = ["type.test/B", "type.test/C", "type.test/D"];
    peer.ask(type);
    for (const other of others) peer.ask(other);
    await nextTurn();
    expect(server.xds.size).toBe(0);
    decided.resolve();
    const heard = [await peer.take(), await peer.take(), await peer.take(), await peer.take()];
    expect(heard.map(({ typeUrl }) => typeUrl)).toEqual([type, ...others]);
  });

  test("a peer that leaves before it is admitted was never there", async () => {
    const decided = Promise.withResolvers<void>();
    const left = Promise.withResolvers<unknown>();
    const asked = Promise.withResolvers<void>();
    using world = await guardedBy(async (call) => {
      left.resolve(once(call as grpc.ServerDuplexStream<unknown, unknown>, "cancelled"));
      asked.resolve();
      await decided.promise;
      return { admitted: true };
    });
    const { server, peer } = world;
    peer.ask(type);
    await asked.promise;
    peer.stream.cancel();
    await left.promise;
    decided.resolve();
    using next = new AdsPeer(server.address, variant, node("n2"));
    next.ask(type);
    await next.take();
    expect(server.eventsOf("connected")).toMatchObject([{ node: "n2" }]);
  });

  test("an admission that fails ends the stream", async () => {
    using world = await guardedBy(() => Promise.reject(new Error("nobody to ask")));
    world.peer.ask(type);
    expect(await world.peer.stream.ended).toMatchObject({ code: status.INTERNAL, details: "nobody to ask" });
  });

  test("a peer gets what it was admitted for, whatever it says of itself", async () => {
    using world = await guardedBy(() => ({ admitted: true, nodeName: "n2" }));
    world.peer.ask(type);
    expect((await world.peer.take()).texts).toEqual(["a"]);
    expect(world.server.xds.nodes()[0]?.name).toBe("n2");
  });

  test("what it said of itself, as far as it is kept, is the view's to know", async () => {
    const seen: (PeerNode | undefined)[] = [];
    const views = new NodeViews();
    using world = await guardedBy(() => ({ admitted: true }), {
      keptMetadata: ["NAMESPACE", "NODE_NAME"],
      viewOf: (told, shown) => {
        seen.push(told);
        return views.viewOf("", shown);
      },
    });
    const { server } = world;
    using told = new AdsPeer(server.address, variant, {
      id: "sidecar~10.0.0.1~a.default~default.svc",
      cluster: "reviews",
      locality: { region: "r", zone: "z", subZone: "s" },
      metadata: { NAMESPACE: "default", SECRET: "not kept" },
      userAgentName: "envoy",
    });
    told.ask(type);
    await told.take();
    await told.quiet();
    expect(new Set(seen).size).toBe(1);
    expect(seen[0]).toMatchObject({
      id: "sidecar~10.0.0.1~a.default~default.svc",
      name: "",
      message: {
        cluster: "reviews",
        locality: { region: "r", zone: "z", subZone: "s" },
        metadata: { NAMESPACE: "default" },
        userAgentName: "",
      },
    });
    expect(seen[0]?.message.metadata).not.toHaveProperty("SECRET");
  });

  test("metadata that is kept has so many bytes at most", async () => {
    using world = await guardedBy(() => ({ admitted: true }), {
      keptMetadata: ["LABELS"],
      limits: { metadataBytes: 100 },
    });
    const long = "x".repeat(101);
    using other = new AdsPeer(world.server.address, variant, { id: "a", metadata: { OTHER: long } });
    other.ask(type);
    await other.take();
    using kept = new AdsPeer(world.server.address, variant, { id: "a", metadata: { LABELS: long } });
    kept.ask(type);
    expect(await kept.stream.ended).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      details: "bytes of the node's metadata: 114 is over the limit of 100",
    });
  });
});
