import { type ConformanceCase, changing, still } from "../case.ts";
import { variants } from "../peer/messages.ts";
import { check, checkSame } from "../peer/nonconformity.ts";
import { types } from "../peer/types.ts";
import { clustersInStock, namesIn, untilHeld, watching } from "./steps.ts";

const wildcard = ["delta-wildcard", "sotw-whole"] as const;

export const wildcards: readonly ConformanceCase[] = [
  still({
    name: "no-names-want-everything",
    rules: wildcard,
    variants,
    what: "answers a first request without names of a type with a wildcard with all there is",
    run: async (scene) => {
      const peer = scene.connect();
      for (const [typeUrl, stock] of [
        [types.cds, scene.stock.clusters],
        [types.lds, scene.stock.listeners],
      ] as const) {
        peer.ask(typeUrl);
        const came = new Set(namesIn(await peer.take(typeUrl)));
        const missing = stock.filter((name) => !came.has(name));
        check(
          missing.length === 0,
          "all that another stream of the node was sent",
          `no ${missing.join(", ")}`,
        );
      }
    },
  }),
  still({
    name: "star-wants-everything",
    rules: wildcard,
    variants,
    what: 'answers a first request for "*" with all there is',
    run: async (scene) => {
      const peer = scene.connect();
      peer.ask(types.cds, "*");
      const came = new Set(namesIn(await peer.take(types.cds)));
      const missing = scene.stock.clusters.filter((name) => !came.has(name));
      check(missing.length === 0, "all that another stream of the node was sent", `no ${missing.join(", ")}`);
      check(!came.has("*"), 'no resource that is named "*"', "one");
    },
  }),
  ...(["", "*"] as const).map((names) =>
    changing({
      name: `${names === "" ? "wildcard" : "star"}-brings-what-is-new`,
      rules: wildcard,
      variants,
      what: "sends everything that comes later to a client that wanted everything",
      begin: (world) => [world.service("a", ["10.1.1.1"])],
      run: async (scene) => {
        const { world } = scene;
        const peer = await watching(scene, types.cds, ...(names === "" ? [] : [names]));
        check(peer.held(types.cds).has(world.cluster("a")), "what there is", [
          ...peer.held(types.cds).keys(),
        ]);
        await scene.change(world.service("a", ["10.1.1.1"]), world.service("b", ["10.1.2.1"]));
        await untilHeld(peer, types.cds, world.cluster("b"));
        check(peer.held(types.cds).has(world.cluster("a")), "what there was, too", "it is gone");
      },
    }),
  ),
  changing({
    name: "wildcard-goes-on-with-acks",
    rules: ["sotw-ack", ...wildcard],
    variants,
    what: "takes acks without names for a subscription to everything that goes on",
    begin: (world) => [world.service("a", ["10.1.1.1"])],
    run: async (scene) => {
      const { world } = scene;
      const peer = await watching(scene, types.cds);
      const objects = [world.service("a", ["10.1.1.1"])];
      for (const name of ["b", "c"]) {
        objects.push(world.service(name, ["10.1.2.1"]));
        await scene.change(...objects);
        await untilHeld(peer, types.cds, world.cluster(name));
      }
      await peer.silence("all was acked");
    },
  }),
  still({
    name: "clusters-by-name",
    rules: ["by-name"],
    variants,
    what: "answers a first request for some clusters by name with those",
    run: async (scene) => {
      const [one = "", two = ""] = clustersInStock(scene, 2);
      const peer = scene.connect();
      peer.ask(types.cds, one, two);
      checkSame([one, two], namesIn(await peer.take(types.cds)), "the clusters that were asked for");
    },
  }),
  changing({
    name: "clusters-by-name-stay-these",
    rules: ["by-name", "unsubscribed"],
    variants,
    what: "sends no new clusters to a client that asked for others by name",
    begin: (world) => [world.service("a", ["10.1.1.1"])],
    run: async (scene) => {
      const { world } = scene;
      const [a, b] = [world.cluster("a"), world.cluster("b")];
      const witness = await watching(scene, types.cds);
      const peer = scene.connect();
      peer.ask(types.cds, a);
      checkSame([a], namesIn(await peer.take(types.cds)), "the cluster that was asked for");
      await scene.change(world.service("a", ["10.1.1.1"]), world.service("b", ["10.1.2.1"]));
      await untilHeld(witness, types.cds, b);
      const came = (await peer.flush()).flatMap(namesIn);
      check(!came.includes(b), "no cluster that was not asked for", came);
    },
  }),
  changing({
    name: "star-and-names-are-told-apart",
    rules: ["by-name", "delta-wildcard"],
    variants: ["delta"],
    what: 'goes on with names that were asked for beside "*" when "*" is given up',
    begin: (world) => [world.service("a", ["10.1.1.1"])],
    run: async (scene) => {
      const { world } = scene;
      const [a, b] = [world.cluster("a"), world.cluster("b")];
      const witness = await watching(scene, types.cds);
      const peer = await watching(scene, types.cds, "*", a);
      peer.drop(types.cds, "*");
      await peer.silence("names were given up");
      await scene.change(
        world.service("a", ["10.1.1.1"]),
        world.destination("a", [], { connectionPool: { tcp: { maxConnections: 7 } } }),
        world.service("b", ["10.1.2.1"]),
      );
      const came = await peer.until((response) => namesIn(response).includes(a), "the changed cluster a");
      await untilHeld(witness, types.cds, b);
      came.push(...(await peer.flush()));
      const names = came.flatMap(namesIn);
      check(!names.includes(b), 'no cluster that is wanted by "*" alone', names);
    },
  }),
  still({
    name: "name-that-is-given-up-beside-star-is-told",
    rules: ["by-name", "delta-wildcard"],
    variants: ["delta"],
    what: 'sends a name again that is given up where "*" goes on: only the server knows whether "*" has it',
    run: async (scene) => {
      const [one = ""] = clustersInStock(scene, 1);
      const peer = await watching(scene, types.cds, "*", one);
      peer.drop(types.cds, one);
      const came = namesIn(await peer.take(types.cds));
      check(came.includes(one), "the name that was given up, and is wanted all the same", came);
    },
  }),
  still({
    name: "star-taken-and-given-up-at-once-wants-nothing",
    rules: ["delta-wildcard"],
    variants: ["delta"],
    what: 'sends nothing to a client whose first request subscribes to "*" and ends that subscription',
    run: async (scene) => {
      const peer = scene.connect();
      peer.say({ typeUrl: types.cds, subscribe: ["*"], unsubscribe: ["*"] });
      const names = (await peer.flush()).flatMap(namesIn);
      checkSame([], names, "clusters that are wanted");
    },
  }),
  still({
    name: "no-names-after-names-want-nothing",
    rules: ["by-name"],
    variants: ["sotw"],
    what: "takes no names after some names for the end of the subscription, not for everything",
    run: async (scene) => {
      const [one = ""] = clustersInStock(scene, 1);
      const peer = scene.connect();
      peer.ask(types.cds, one);
      const { nonce } = await peer.take(types.cds);
      peer.say({ typeUrl: types.cds, nonce, names: [] });
      await peer.silence("the last name was given up");
    },
  }),
];
