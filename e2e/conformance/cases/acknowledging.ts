import { type ConformanceCase, changing, still } from "../case.ts";
import { variants } from "../peer/messages.ts";
import { check, checkSame } from "../peer/nonconformity.ts";
import { types } from "../peer/types.ts";
import { clustersInStock, heldEndpoints, namesIn, untilEndpoint, watching } from "./steps.ts";

export const acknowledging: readonly ConformanceCase[] = [
  still({
    name: "ack-is-not-answered",
    rules: ["sotw-ack"],
    variants,
    what: "says nothing to an ack, of whichever type",
    run: async (scene) => {
      const clusters = clustersInStock(scene, 2);
      const peer = await watching(scene, types.cds);
      peer.ask(types.eds, ...clusters);
      await peer.take(types.eds);
      peer.ask(types.lds);
      await peer.take(types.lds);
      await peer.silence("all was acked");
    },
  }),
  still({
    name: "ack-that-is-repeated-is-not-answered",
    rules: ["sotw-ack"],
    variants,
    what: "says nothing to the same ack once more",
    run: async (scene) => {
      const [cluster = ""] = clustersInStock(scene, 1);
      const peer = scene.connect();
      peer.ask(types.eds, cluster);
      const response = await peer.take(types.eds);
      for (let count = 0; count < 3; count += 1) peer.ack(response);
      await peer.silence("the acks say nothing new");
    },
  }),
  still({
    name: "nack-is-not-answered",
    rules: ["sotw-nack", "nacked-changes"],
    variants,
    what: "says nothing to a rejection: the same again would be rejected again",
    run: async (scene) => {
      const [cluster = ""] = clustersInStock(scene, 1);
      const peer = scene.connect();
      peer.ask(types.cds);
      peer.nack(await peer.response(), "clusters do not fit");
      await peer.silence("clusters were rejected");
      peer.ask(types.eds, cluster);
      peer.nack(await peer.response(), "endpoints do not fit");
      await peer.silence("endpoints were rejected");
    },
  }),
  still({
    name: "nack-that-is-repeated-is-not-answered",
    rules: ["sotw-nack"],
    variants,
    what: "says nothing to the same rejection once more",
    run: async (scene) => {
      const peer = scene.connect();
      peer.ask(types.lds);
      const response = await peer.response();
      for (let count = 0; count < 3; count += 1) peer.nack(response, "listeners do not fit");
      await peer.silence("listeners were rejected");
    },
  }),
  still({
    name: "nack-ends-no-subscription",
    rules: ["sotw-nack", "sotw-more"],
    variants,
    what: "answers a request for more names after a rejection with those",
    run: async (scene) => {
      const [one = "", two = ""] = clustersInStock(scene, 2);
      const peer = scene.connect();
      peer.ask(types.eds, one);
      peer.nack(await peer.response(), "endpoints do not fit");
      peer.ask(types.eds, two);
      checkSame([two], namesIn(await peer.take(types.eds)), "what was asked for, and nothing else");
      await peer.silence("all but what was rejected is acked");
    },
  }),
  still({
    name: "nack-that-asks-for-more-is-answered-with-that",
    rules: ["nacked-changes", "sotw-more"],
    variants,
    what: "follows what a rejection asks for besides",
    run: async (scene) => {
      const [one = "", two = ""] = clustersInStock(scene, 2);
      const peer = scene.connect();
      peer.ask(types.eds, one);
      peer.nack(await peer.response(), "endpoints do not fit", two);
      checkSame([two], namesIn(await peer.take(types.eds)), "what was asked for, and nothing else");
      await peer.silence("all but what was rejected is acked");
    },
  }),
  changing({
    name: "nacked-resource-is-sent-when-it-changes",
    rules: ["nacked-changes", "sotw-nack"],
    variants,
    what: "sends what was rejected again when it is another",
    begin: (world) => [world.service("a", ["10.1.1.1"])],
    run: async (scene) => {
      const { world } = scene;
      const a = world.cluster("a");
      const peer = await watching(scene, types.eds, a);
      await scene.change(world.service("a", ["10.1.1.2"]));
      peer.nack(await peer.response("the changed endpoints"), "endpoints do not fit");
      await scene.change(world.service("a", ["10.1.1.3"]));
      await untilEndpoint(peer, a, "10.1.1.3");
      await peer.silence("all is acked");
    },
  }),
  changing({
    name: "nacked-resource-stays-with-others-that-change",
    rules: ["nacked-changes", "partial-endpoints"],
    variants,
    what: "sends what changed without what was rejected before and is as it was",
    begin: (world) => [world.service("a", ["10.1.1.1"]), world.service("b", ["10.1.2.1"])],
    run: async (scene) => {
      const { world } = scene;
      const [a, b] = [world.cluster("a"), world.cluster("b")];
      const peer = await watching(scene, types.eds, a, b);
      await scene.change(world.service("a", ["10.1.1.2"]), world.service("b", ["10.1.2.1"]));
      peer.nack(await peer.response("the changed endpoints"), "endpoints of a do not fit");
      await scene.change(world.service("a", ["10.1.1.2"]), world.service("b", ["10.1.2.2"]));
      const came = (await untilEndpoint(peer, b, "10.1.2.2")).flatMap(namesIn);
      check(!came.includes(a), "b alone, since a is as it was rejected", came);
    },
  }),
  still({
    name: "stale-nonce-is-ignored",
    rules: ["sotw-stale"],
    variants: ["sotw"],
    what: "ignores what a request with an old nonce asks for, and answers it with the newest nonce",
    run: async (scene) => {
      const [one = "", two = "", three = ""] = clustersInStock(scene, 3);
      const peer = scene.connect();
      peer.ask(types.eds, one);
      const first = await peer.take(types.eds);
      peer.ask(types.eds, two);
      const second = await peer.take(types.eds);
      peer.say({ typeUrl: types.eds, nonce: first.nonce, names: [one, two, three] });
      await peer.silence("the nonce is one of an older response");
      peer.ack(second, three);
      checkSame([three], namesIn(await peer.take(types.eds)), "what was asked for with the newest nonce");
    },
  }),
  changing({
    name: "stale-nonce-of-a-push-is-ignored",
    rules: ["sotw-stale"],
    variants: ["sotw"],
    what: "ignores a request that was on its way when a push came",
    begin: (world) => [world.service("a", ["10.1.1.1"]), world.service("b", ["10.1.2.1"])],
    run: async (scene) => {
      const { world } = scene;
      const [a, b] = [world.cluster("a"), world.cluster("b")];
      const peer = scene.connect();
      peer.ask(types.eds, a);
      const first = await peer.take(types.eds);
      await scene.change(world.service("a", ["10.1.1.2"]), world.service("b", ["10.1.2.1"]));
      const pushed = await peer.response("the changed endpoints");
      peer.say({ typeUrl: types.eds, nonce: first.nonce, names: [a, b] });
      await peer.silence("the nonce is the one before the push");
      peer.ack(pushed, b);
      checkSame([b], namesIn(await peer.take(types.eds)), "what was asked for with the newest nonce");
      checkSame(["10.1.1.2:80"], heldEndpoints(peer, a) ?? [], "the endpoints that were pushed");
    },
  }),
  still({
    name: "unknown-nonce-is-ignored",
    rules: ["sotw-stale"],
    variants: ["sotw"],
    what: "ignores a request with a nonce that it never sent",
    run: async (scene) => {
      const [one = "", two = ""] = clustersInStock(scene, 2);
      const peer = await watching(scene, types.eds, one);
      peer.say({ typeUrl: types.eds, nonce: "never sent", names: [one, two] });
      await peer.silence("the nonce was never sent");
    },
  }),
  still({
    name: "nonce-of-another-type-is-ignored",
    rules: ["per-type", "sotw-stale"],
    variants: ["sotw"],
    what: "takes a nonce for the type that it was sent with, and no other",
    run: async (scene) => {
      const [one = "", two = ""] = clustersInStock(scene, 2);
      const peer = scene.connect();
      peer.ask(types.cds);
      const clusters = await peer.take(types.cds);
      peer.ask(types.eds, one);
      await peer.take(types.eds);
      peer.say({ typeUrl: types.eds, nonce: clusters.nonce, names: [one, two] });
      await peer.silence("the nonce is one of clusters");
    },
  }),
  still({
    name: "older-nonce-does-not-lose-a-subscription",
    rules: ["per-type"],
    variants: ["delta"],
    what: "follows what a request subscribes to although it acks an older response than the last",
    run: async (scene) => {
      const [one = "", two = "", three = ""] = clustersInStock(scene, 3);
      const peer = scene.connect();
      peer.ask(types.eds, one);
      const first = await peer.response();
      peer.ask(types.eds, two);
      peer.ack(first);
      const second = await peer.response();
      peer.ack(first, three);
      peer.ack(second);
      await peer.until(
        () => peer.held(types.eds).has(three),
        "endpoints that were subscribed to in an ack of an older response",
      );
    },
  }),
  still({
    name: "version-of-an-ack-means-nothing",
    rules: ["sotw-ack", "per-type"],
    variants: ["sotw"],
    what: "takes an ack by its nonce, whatever version it tells",
    run: async (scene) => {
      const [cluster = ""] = clustersInStock(scene, 1);
      const peer = scene.connect();
      peer.ask(types.eds, cluster);
      const { nonce } = await peer.response();
      peer.say({ typeUrl: types.eds, nonce, version: "some other", names: [cluster] });
      await peer.silence("the nonce is right");
    },
  }),
];
