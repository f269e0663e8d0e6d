import { type ConformanceCase, changing } from "../case.ts";
import { variants } from "../peer/messages.ts";
import { check, checkSame } from "../peer/nonconformity.ts";
import { isWildcardType, shortName, types } from "../peer/types.ts";
import { followAll, heldEndpoints, namesIn, untilEndpoint, untilHeld, watching } from "./steps.ts";

const tcp = (address: string) => ({ protocol: "TCP", port: 9000, address }) as const;
const limited = { connectionPool: { tcp: { maxConnections: 7 } } };

export const partialPushes: readonly ConformanceCase[] = [
  changing({
    name: "endpoints-of-changed-services-alone",
    rules: ["partial-endpoints"],
    variants,
    what: "sends endpoints of the service that changed, and of no other",
    begin: (world) => ["a", "b", "c"].map((name, i) => world.service(name, [`10.1.${i}.1`])),
    run: async (scene) => {
      const { world } = scene;
      const [a, b, c] = [world.cluster("a"), world.cluster("b"), world.cluster("c")];
      const peer = await watching(scene, types.eds, a, b, c);
      await scene.change(
        world.service("a", ["10.1.0.1"]),
        world.service("b", ["10.1.1.1", "10.1.1.2"]),
        world.service("c", ["10.1.2.1"]),
      );
      const came = (await untilEndpoint(peer, b, "10.1.1.2")).flatMap(namesIn);
      checkSame([b], came, "endpoints that changed");
    },
  }),
  changing({
    name: "changed-endpoints-bring-nothing-else",
    rules: ["partial-endpoints"],
    variants,
    what: "sends no clusters, listeners or routes when nothing but endpoints changed",
    begin: (world) => [world.service("a", ["10.1.1.1"])],
    run: async (scene) => {
      const { world } = scene;
      const a = world.cluster("a");
      const peer = scene.connect();
      await followAll(peer, [a]);
      await scene.change(world.service("a", ["10.1.1.2"]));
      const came = await untilEndpoint(peer, a, "10.1.1.2");
      came.push(...(await peer.flush()));
      checkSame([types.eds], new Set(came.map(({ typeUrl }) => typeUrl)), "types that changed");
    },
  }),
  changing({
    name: "last-endpoint-that-goes-leaves-an-empty-list",
    rules: ["partial-endpoints"],
    variants,
    what: "sends a service's endpoints without any when the last one is gone",
    begin: (world) => [world.service("a", ["10.1.1.1"])],
    run: async (scene) => {
      const { world } = scene;
      const a = world.cluster("a");
      const peer = await watching(scene, types.eds, a);
      await scene.change(world.service("a", []));
      await peer.until(() => heldEndpoints(peer, a)?.length === 0, "endpoints of a without any");
    },
  }),
  changing({
    name: "clusters-of-changed-services-alone",
    rules: ["partial-clusters"],
    variants: ["delta"],
    what: "sends clusters of services that are new or changed, and of no others",
    begin: (world) => ["a", "b"].map((name, i) => world.service(name, [`10.1.${i}.1`])),
    run: async (scene) => {
      const { world } = scene;
      const [b, c] = [world.cluster("b"), world.cluster("c")];
      const peer = await watching(scene, types.cds);
      await scene.change(
        world.service("a", ["10.1.0.1"]),
        world.service("b", ["10.1.1.1"]),
        world.destination("b", [], limited),
        world.service("c", ["10.1.2.1"]),
      );
      const came: string[] = [];
      await peer.until((response) => {
        came.push(...namesIn(response));
        return came.includes(b) && came.includes(c);
      }, "the clusters b and c");
      const ofServices = came.filter((name) => name.endsWith(world.host("").slice(1)));
      checkSame([b, c], new Set(ofServices), "clusters of services that are new or changed");
    },
  }),
  changing({
    name: "all-clusters-in-each-response",
    rules: ["sotw-whole"],
    variants: ["sotw"],
    what: "sends all clusters when one is new: what a response lacks is gone",
    begin: (world) => ["a", "b"].map((name, i) => world.service(name, [`10.1.${i}.1`])),
    run: async (scene) => {
      const { world } = scene;
      const peer = scene.connect();
      peer.ask(types.cds);
      const before = namesIn(await peer.take(types.cds));
      await scene.change(...["a", "b", "c"].map((name, i) => world.service(name, [`10.1.${i}.1`])));
      const last = (await untilHeld(peer, types.cds, world.cluster("c"))).at(-1);
      checkSame([...before, world.cluster("c")], last ? namesIn(last) : [], "all clusters");
    },
  }),
  changing({
    name: "all-listeners-in-each-response",
    rules: ["sotw-whole"],
    variants: ["sotw"],
    what: "sends all listeners when one is new: what a response lacks is gone",
    begin: (world) => [world.service("t", ["10.1.1.1"], tcp("10.96.1.1"))],
    run: async (scene) => {
      const { world } = scene;
      const peer = scene.connect();
      peer.ask(types.lds);
      const before = namesIn(await peer.take(types.lds));
      await scene.change(
        world.service("t", ["10.1.1.1"], tcp("10.96.1.1")),
        world.service("u", ["10.1.1.2"], tcp("10.96.1.2")),
      );
      const last = (await untilHeld(peer, types.lds, "10.96.1.2_9000")).at(-1);
      checkSame([...before, "10.96.1.2_9000"], last ? namesIn(last) : [], "all listeners");
    },
  }),
  changing({
    name: "listeners-that-changed-alone",
    rules: ["partial-listeners-routes"],
    variants: ["delta"],
    what: "sends listeners that are new, and none that are as they were",
    begin: (world) => [world.service("a", ["10.1.1.1"]), world.service("t", ["10.1.1.1"], tcp("10.96.1.1"))],
    run: async (scene) => {
      const { world } = scene;
      const peer = await watching(scene, types.lds);
      await scene.change(
        world.service("a", ["10.1.1.1"]),
        world.service("t", ["10.1.1.1"], tcp("10.96.1.1")),
        world.service("u", ["10.1.1.2"], tcp("10.96.1.2")),
      );
      const came = (await untilHeld(peer, types.lds, "10.96.1.2_9000")).flatMap(namesIn);
      checkSame(["10.96.1.2_9000"], came, "listeners that are new");
    },
  }),
  changing({
    name: "routes-that-changed-alone",
    rules: ["partial-listeners-routes"],
    variants: ["delta"],
    what: "sends routes that changed, and none that are as they were",
    begin: (world) => [world.service("a", ["10.1.1.1"]), world.service("b", ["10.1.2.1"], { port: 8080 })],
    run: async (scene) => {
      const { world } = scene;
      const peer = await watching(scene, types.rds, "80", "8080");
      await scene.change(
        world.service("a", ["10.1.1.1"]),
        world.service("c", ["10.1.3.1"]),
        world.service("b", ["10.1.2.1"], { port: 8080 }),
      );
      const came = await peer.until((response) => namesIn(response).includes("80"), "the changed route");
      checkSame(["80"], came.flatMap(namesIn), "routes that changed");
    },
  }),
  changing({
    name: "change-elsewhere-is-not-sent",
    rules: ["partial-clusters", "partial-endpoints"],
    variants,
    what: "sends nothing to a node that does not see what changed",
    begin: (world) => [world.service("a", ["10.1.1.1"])],
    run: async (scene) => {
      const { node, world } = scene;
      const a = world.cluster("a");
      const elsewhere = scene.connect({
        node: {
          ...node,
          id: "sidecar~10.99.0.2~proxy.elsewhere~elsewhere.svc.cluster.local",
          metadata: { ...node.metadata, NAMESPACE: "elsewhere" },
        },
      });
      for (const typeUrl of [types.cds, types.lds]) {
        elsewhere.ask(typeUrl);
        await elsewhere.take(typeUrl);
      }
      const peer = await watching(scene, types.eds, a);
      await scene.change(world.service("a", ["10.1.1.2"]), world.service("b", ["10.1.2.1"]));
      await untilEndpoint(peer, a, "10.1.1.2");
      const came = await elsewhere.flush();
      const names = came.filter(({ typeUrl }) => isWildcardType(typeUrl)).flatMap(namesIn);
      const strangers = names.filter((name) => name.includes(world.namespace));
      check(strangers.length === 0, "nothing of a namespace that is not seen", strangers);
      checkSame(
        [],
        came.map(({ typeUrl }) => shortName(typeUrl)),
        "types that changed for the node",
      );
    },
  }),
];
