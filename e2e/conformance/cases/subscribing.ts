import { type ConformanceCase, changing, still } from "../case.ts";
import { variants } from "../peer/messages.ts";
import { check, checkSame } from "../peer/nonconformity.ts";
import { types } from "../peer/types.ts";
import { clustersInStock, namesIn, untilEndpoint, watching } from "./steps.ts";

export const subscribing: readonly ConformanceCase[] = [
  still({
    name: "more-names-bring-these-alone",
    rules: ["sotw-more"],
    variants,
    what: "answers a request for more names with those, and not with the ones before",
    run: async (scene) => {
      const [one = "", two = "", three = ""] = clustersInStock(scene, 3);
      const peer = await watching(scene, types.eds, one);
      peer.ask(types.eds, two, three);
      checkSame([two, three], namesIn(await peer.take(types.eds)), "what was asked for, and nothing else");
      await peer.silence("all was acked");
    },
  }),
  still({
    name: "more-names-in-an-ack-bring-these",
    rules: ["sotw-more"],
    variants,
    what: "answers an ack that asks for more names with those",
    run: async (scene) => {
      const [one = "", two = ""] = clustersInStock(scene, 2);
      const peer = scene.connect();
      peer.ask(types.eds, one);
      peer.ack(await peer.response(), two);
      checkSame([two], namesIn(await peer.take(types.eds)), "what was asked for, and nothing else");
    },
  }),
  still({
    name: "more-names-of-routes",
    rules: ["sotw-more"],
    variants,
    what: "answers a request for more routes with those",
    run: async (scene) => {
      const peer = await watching(scene, types.rds, "62001");
      peer.ask(types.rds, "62002");
      checkSame(["62002"], namesIn(await peer.take(types.rds)), "what was asked for, and nothing else");
    },
  }),
  still({
    name: "more-names-of-a-grpc-client-bring-all",
    rules: ["sotw-more-grpc"],
    variants: ["sotw"],
    what: "answers a gRPC client that asks for more names with all of them",
    run: async (scene) => {
      const [one = "", two = ""] = clustersInStock(scene, 2);
      const { node } = scene;
      const peer = scene.connect({ node: { ...node, metadata: { ...node.metadata, GENERATOR: "grpc" } } });
      peer.ask(types.eds, one);
      await peer.take(types.eds);
      peer.ask(types.eds, two);
      checkSame([one, two], namesIn(await peer.take(types.eds)), "all that is wanted");
    },
  }),
  still({
    name: "fewer-names-are-not-answered",
    rules: ["sotw-fewer", "delta-unsubscribe"],
    variants,
    what: "says nothing when names are given up",
    run: async (scene) => {
      const [one = "", two = ""] = clustersInStock(scene, 2);
      const peer = await watching(scene, types.eds, one, two);
      peer.drop(types.eds, two);
      await peer.silence("names were given up, and none asked for");
    },
  }),
  still({
    name: "no-names-are-not-answered",
    rules: ["sotw-none", "delta-unsubscribe"],
    variants,
    what: "says nothing when the last name is given up",
    run: async (scene) => {
      const [one = ""] = clustersInStock(scene, 1);
      const peer = await watching(scene, types.eds, one);
      peer.drop(types.eds, one);
      await peer.silence("the last name was given up");
    },
  }),
  changing({
    name: "given-up-name-is-not-pushed",
    rules: ["unsubscribed", "sotw-fewer", "delta-unsubscribe"],
    variants,
    what: "sends no changes of names that were given up",
    begin: (world) => [world.service("a", ["10.1.1.1"]), world.service("b", ["10.1.2.1"])],
    run: async (scene) => {
      const { world } = scene;
      const [a, b] = [world.cluster("a"), world.cluster("b")];
      const peer = await watching(scene, types.eds, a, b);
      peer.drop(types.eds, a);
      await scene.change(world.service("a", ["10.1.1.2"]), world.service("b", ["10.1.2.2"]));
      const came = await untilEndpoint(peer, b, "10.1.2.2");
      came.push(...(await peer.flush()));
      const names = came.flatMap(namesIn);
      check(!names.includes(a), "changes of b alone, since a was given up", names);
    },
  }),
  changing({
    name: "type-that-was-given-up-is-not-pushed",
    rules: ["sotw-none", "unsubscribed"],
    variants,
    what: "sends no changes of a type of which the last name was given up",
    begin: (world) => [world.service("a", ["10.1.1.1"])],
    run: async (scene) => {
      const { world } = scene;
      const a = world.cluster("a");
      const witness = await watching(scene, types.eds, a);
      const peer = await watching(scene, types.eds, a);
      peer.drop(types.eds, a);
      await peer.silence("the last name was given up");
      await scene.change(world.service("a", ["10.1.1.2"]));
      await untilEndpoint(witness, a, "10.1.1.2");
      await peer.silence("endpoints were given up, and another stream has their change");
    },
  }),
  still({
    name: "name-is-taken-up-again",
    rules: ["resubscribed", "sotw-more"],
    variants,
    what: "answers a request for a name that was given up before",
    run: async (scene) => {
      const [one = "", two = ""] = clustersInStock(scene, 2);
      const peer = await watching(scene, types.eds, one, two);
      peer.drop(types.eds, one);
      await peer.silence("a name was given up");
      peer.ask(types.eds, one);
      checkSame([one], namesIn(await peer.take(types.eds)), "the name that was taken up again");
    },
  }),
  still({
    name: "type-is-taken-up-again",
    rules: ["sotw-none", "sotw-first"],
    variants,
    what: "answers a request for a type of which the last name was given up before",
    run: async (scene) => {
      const [one = ""] = clustersInStock(scene, 1);
      const peer = await watching(scene, types.eds, one);
      peer.drop(types.eds, one);
      await peer.silence("the last name was given up");
      peer.ask(types.eds, one);
      checkSame([one], namesIn(await peer.take(types.eds)), "the name that was taken up again");
    },
  }),
  still({
    name: "name-that-is-watched-is-sent-when-asked-for",
    rules: ["resubscribed"],
    variants: ["delta"],
    what: "sends a name again that is subscribed to once more: the client may have dropped it",
    run: async (scene) => {
      const [one = "", two = ""] = clustersInStock(scene, 2);
      const peer = await watching(scene, types.eds, one, two);
      peer.ask(types.eds, one);
      checkSame([one], namesIn(await peer.take(types.eds)), "the name that was asked for");
    },
  }),
  still({
    name: "giving-up-what-was-never-asked-for",
    rules: ["delta-unsubscribe"],
    variants: ["delta"],
    what: "passes over the end of a subscription that there never was",
    run: async (scene) => {
      const [one = "", two = ""] = clustersInStock(scene, 2);
      const peer = await watching(scene, types.eds, one);
      peer.drop(types.eds, two, "outbound|80||nobody.test");
      await peer.silence("nothing was asked for");
      peer.ask(types.eds, two);
      checkSame([two], namesIn(await peer.take(types.eds)), "the name that was asked for");
    },
  }),
  still({
    name: "name-that-there-is-not-is-removed",
    rules: ["unknown-name", "delta-removed"],
    variants: ["delta"],
    what: "says of a name that there is not that it is removed, so that the client need not wait",
    run: async (scene) => {
      const [one = ""] = clustersInStock(scene, 1);
      const nobody = "outbound|80||nobody.test";
      const peer = scene.connect();
      peer.ask(types.eds, one, nobody);
      const response = await peer.take(types.eds);
      checkSame([one], namesIn(response), "the endpoints that there are");
      checkSame([nobody], response.removed, "removed_resources with what there is not");
    },
  }),
  changing({
    name: "name-that-comes-later-is-sent",
    rules: ["unknown-name", "sotw-more"],
    variants,
    what: "sends endpoints that were asked for before there were any, as soon as there are",
    begin: (world) => [world.service("a", ["10.1.1.1"])],
    run: async (scene) => {
      const { world } = scene;
      const late = world.cluster("late");
      const peer = await watching(scene, types.eds, world.cluster("a"), late);
      await scene.change(world.service("a", ["10.1.1.1"]), world.service("late", ["10.1.2.1"]));
      await untilEndpoint(peer, late, "10.1.2.1");
    },
  }),
  still({
    name: "unknown-route-is-empty",
    rules: ["unknown-route"],
    variants,
    what: "answers a sidecar that asks for a route that there is not with an empty one of that name",
    run: async (scene) => {
      const peer = scene.connect();
      peer.ask(types.rds, "62003");
      const response = await peer.take(types.rds);
      checkSame(["62003"], namesIn(response), "a route of that name");
      checkSame([], response.removed, "nothing that is removed");
    },
  }),
];
