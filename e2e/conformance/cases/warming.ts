import { type ConformanceCase, changing, still } from "../case.ts";
import { variants } from "../peer/messages.ts";
import { check, checkSame } from "../peer/nonconformity.ts";
import { types } from "../peer/types.ts";
import { clustersInStock, namesIn, watching } from "./steps.ts";

const limited = { connectionPool: { tcp: { maxConnections: 7 } } };

export const warming: readonly ConformanceCase[] = [
  still({
    name: "endpoints-are-answered-again-after-clusters",
    rules: ["sotw-warming"],
    variants: ["sotw"],
    what: "answers what looks like an ack of endpoints, once, after clusters were asked for on the stream",
    run: async (scene) => {
      const clusters = clustersInStock(scene, 2);
      const peer = scene.connect();
      // As an Envoy that comes again: it asks for endpoints of clusters that it has from an earlier stream.
      peer.ask(types.eds, ...clusters);
      const { nonce } = await peer.take(types.eds);
      peer.ask(types.cds);
      await peer.take(types.cds);
      peer.say({ typeUrl: types.eds, nonce, names: clusters });
      const again = await peer.take(types.eds);
      checkSame(clusters, namesIn(again), "all endpoints, since clusters wait for them");
      await peer.silence("the second answer was acked");
    },
  }),
  still({
    name: "endpoints-are-sent-again-after-clusters",
    rules: ["delta-warming"],
    variants: ["delta"],
    what: "sends endpoints that are watched once more after clusters were asked for on the stream",
    run: async (scene) => {
      const clusters = clustersInStock(scene, 2);
      const peer = await watching(scene, types.eds, ...clusters);
      peer.ask(types.cds);
      await peer.take(types.cds);
      checkSame(clusters, namesIn(await peer.take(types.eds)), "all endpoints, since clusters wait for them");
      await peer.silence("all was acked");
    },
  }),
  changing({
    name: "endpoints-follow-a-cluster-that-changed",
    rules: ["sotw-warming", "delta-warming"],
    variants,
    what: "sends endpoints of a cluster that was changed, which waits for them, although they are the same",
    begin: (world) => [world.service("a", ["10.1.1.1"])],
    run: async (scene) => {
      const { world } = scene;
      const a = world.cluster("a");
      const peer = await watching(scene, types.cds);
      peer.ask(types.eds, a);
      await peer.take(types.eds);
      await scene.change(world.service("a", ["10.1.1.1"]), world.destination("a", [], limited));
      const responses = await peer.until(
        (response) => response.typeUrl === types.eds && namesIn(response).includes(a),
        "endpoints of the changed cluster",
      );
      const clusters = responses.filter(({ typeUrl }) => typeUrl === types.cds).flatMap(namesIn);
      check(clusters.includes(a), "the changed cluster before its endpoints", clusters);
    },
  }),
  still({
    name: "clusters-bring-no-endpoints-that-nobody-watches",
    rules: ["delta-warming", "sotw-warming"],
    variants,
    what: "sends no endpoints after clusters to a stream that never asked for any",
    run: async (scene) => {
      const peer = await watching(scene, types.cds);
      await peer.silence("no endpoints are watched");
    },
  }),
];
