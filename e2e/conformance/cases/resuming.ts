import { type ChangingScene, type ConformanceCase, changing, still } from "../case.ts";
import { check, checkSame } from "../peer/nonconformity.ts";
import type { Peer } from "../peer/peer.ts";
import { types } from "../peer/types.ts";
import {
  clustersInStock,
  followAll,
  namesIn,
  routedClusters,
  untilEndpoint,
  untilHeld,
  watching,
} from "./steps.ts";

/** A client that got everything of a type and is gone; and, with nobody looking, the service b. */
async function beforeServiceIsGone(
  { connect, world, change }: ChangingScene,
  typeUrl: string,
  ...names: string[]
): Promise<Peer> {
  const before = connect();
  before.ask(typeUrl, ...names);
  await before.take(typeUrl);
  const b = world.cluster("b");
  check(before.held(typeUrl).has(b), "the service b at first", [...before.held(typeUrl).keys()]);
  before[Symbol.dispose]();
  const witness = connect();
  witness.ask(types.cds);
  await witness.take(types.cds);
  await change(world.service("a", ["10.1.1.1"]));
  await untilHeld(witness, types.cds, b, false);
  return before;
}

export const resuming: readonly ConformanceCase[] = [
  changing({
    name: "held-names-are-subscribed-to",
    rules: ["delta-held"],
    variants: ["delta"],
    what: "follows names that a first request holds from an earlier stream, without being asked for them",
    begin: (world) => [world.service("a", ["10.1.1.1"])],
    run: async (scene) => {
      const { world } = scene;
      const a = world.cluster("a");
      const before = await watching(scene, types.eds, a);
      const peer = scene.connect({ resumes: before });
      peer.resume(types.eds);
      await peer.take(types.eds);
      await scene.change(world.service("a", ["10.1.1.2"]));
      await untilEndpoint(peer, a, "10.1.1.2");
    },
  }),
  still({
    name: "held-versions-that-are-old-are-replaced",
    rules: ["delta-held"],
    variants: ["delta"],
    what: "sends what a first request holds in another version",
    run: async (scene) => {
      const [one = "", two = ""] = clustersInStock(scene, 2);
      const peer = scene.connect();
      const initialVersions = { [one]: "an old one", [two]: "an old one" };
      peer.say({ typeUrl: types.eds, subscribe: [one, two], initialVersions });
      checkSame([one, two], namesIn(await peer.take(types.eds)), "all that is held in an old version");
    },
  }),
  still({
    name: "held-clusters-and-everything",
    rules: ["delta-held", "delta-wildcard"],
    variants: ["delta"],
    what: "takes a first request that holds something and names nothing for one for everything",
    run: async (scene) => {
      const [one = ""] = clustersInStock(scene, 1);
      const peer = scene.connect();
      peer.say({ typeUrl: types.cds, initialVersions: { [one]: "an old one" } });
      await peer.take(types.cds);
      const missing = scene.stock.clusters.filter((name) => !peer.held(types.cds).has(name));
      check(missing.length === 0, "all that another stream of the node was sent", `no ${missing.join(", ")}`);
    },
  }),
  changing({
    name: "held-cluster-that-is-gone-is-removed",
    rules: ["delta-held", "delta-removed"],
    variants: ["delta"],
    what: "tells a client that comes again which of the clusters that it holds are gone",
    begin: (world) => [world.service("a", ["10.1.1.1"]), world.service("b", ["10.1.2.1"])],
    run: async (scene) => {
      const b = scene.world.cluster("b");
      const peer = scene.connect({ resumes: await beforeServiceIsGone(scene, types.cds) });
      peer.resume(types.cds);
      await peer.until(
        ({ removed }) => removed.includes(b),
        "removed_resources with the cluster that is gone",
      );
    },
  }),
  changing({
    name: "held-endpoints-that-are-gone-are-removed",
    rules: ["delta-held", "delta-removed"],
    variants: ["delta"],
    what: "tells a client that comes again which of the endpoints that it holds are gone",
    begin: (world) => [world.service("a", ["10.1.1.1"]), world.service("b", ["10.1.2.1"])],
    run: async (scene) => {
      const { world } = scene;
      const [a, b] = [world.cluster("a"), world.cluster("b")];
      const peer = scene.connect({ resumes: await beforeServiceIsGone(scene, types.eds, a, b) });
      peer.resume(types.eds, a, b);
      await peer.until(
        ({ removed }) => removed.includes(b),
        "removed_resources with the endpoints that are gone",
      );
      check(peer.held(types.eds).has(a), "the endpoints that there are", [...peer.held(types.eds).keys()]);
    },
  }),
  still({
    name: "held-endpoints-wait-for-clusters",
    rules: ["delta-warming", "delta-held"],
    variants: ["delta"],
    what: "sends endpoints again after clusters to a client that comes again with both",
    run: async (scene) => {
      const clusters = clustersInStock(scene, 2);
      const before = await watching(scene, types.cds);
      before.ask(types.eds, ...clusters);
      await before.take(types.eds);
      const peer = scene.connect({ resumes: before });
      peer.resume(types.eds, ...clusters);
      await peer.take(types.eds);
      peer.resume(types.cds);
      const responses = await peer.until(({ typeUrl }) => typeUrl === types.eds, "endpoints after clusters");
      checkSame(
        clusters,
        responses.filter(({ typeUrl }) => typeUrl === types.eds).flatMap(namesIn),
        "all endpoints, since clusters wait for them",
      );
    },
  }),
  changing({
    name: "held-cluster-goes-after-its-route",
    rules: ["delta-held", "make-before-break"],
    variants: ["delta"],
    what: "removes a cluster that a client brings along when no route that the client has leads to it any more",
    begin: (world) => [
      world.service("a", [{ address: "10.1.1.1", labels: { version: "v1" } }]),
      world.destination("a", ["v1"]),
      world.route("a", "a", "v1"),
    ],
    run: async (scene) => {
      const { world } = scene;
      const [v1, v2] = [world.cluster("a", "v1"), world.cluster("a", "v2")];
      const [before, witness] = [scene.connect(), scene.connect()];
      await followAll(before, [v1]);
      before[Symbol.dispose]();
      witness.ask(types.cds);
      await witness.take(types.cds);
      await scene.change(
        world.service("a", [{ address: "10.1.1.1", labels: { version: "v2" } }]),
        world.destination("a", ["v2"]),
        world.route("a", "a", "v2"),
      );
      await untilHeld(witness, types.cds, v1, false);
      const peer = scene.connect({ resumes: before });
      peer.resume(types.cds);
      peer.resume(types.eds, v1);
      peer.resume(types.lds);
      peer.resume(types.rds, "80");
      await peer.until(() => {
        const missing = [...routedClusters(peer)].filter((name) => !peer.held(types.cds).has(name));
        check(missing.length === 0, "clusters as long as routes lead to them", `no ${missing.join(", ")}`);
        return routedClusters(peer).has(v2) && !peer.held(types.cds).has(v1);
      }, "the new subset, and the old one gone");
    },
  }),
];
