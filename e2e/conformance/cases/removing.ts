import { type ConformanceCase, changing, still } from "../case.ts";
import { variants } from "../peer/messages.ts";
import { check, checkSame } from "../peer/nonconformity.ts";
import { types } from "../peer/types.ts";
import { followAll, namesIn, untilHeld, watching } from "./steps.ts";

const tcp = { protocol: "TCP", port: 9000, address: "10.96.1.1" } as const;
const listener = "10.96.1.1_9000";

export const removing: readonly ConformanceCase[] = [
  changing({
    name: "cluster-that-is-gone-is-removed",
    rules: ["delta-removed", "sotw-whole"],
    variants,
    what: "removes a cluster whose service is gone: by its name, or by a response without it",
    begin: (world) => [world.service("a", ["10.1.1.1"]), world.service("b", ["10.1.2.1"])],
    run: async (scene) => {
      const { world } = scene;
      const [a, b] = [world.cluster("a"), world.cluster("b")];
      const peer = scene.connect();
      await followAll(peer, [a, b]);
      check(peer.held(types.cds).has(b), "the cluster b at first", [...peer.held(types.cds).keys()]);
      await scene.change(world.service("a", ["10.1.1.1"]));
      await untilHeld(peer, types.cds, b, false);
      check(peer.held(types.cds).has(a), "the other cluster", "it is gone, too");
    },
  }),
  changing({
    name: "listener-that-is-gone-is-removed",
    rules: ["delta-removed", "sotw-whole", "partial-listeners-routes"],
    variants,
    what: "removes a listener whose service is gone: by its name, or by a response without it",
    begin: (world) => [world.service("a", ["10.1.1.1"]), world.service("t", ["10.1.2.1"], tcp)],
    run: async (scene) => {
      const { world } = scene;
      const peer = scene.connect();
      await followAll(peer, [world.cluster("a")]);
      check(peer.held(types.lds).has(listener), "the listener at first", [...peer.held(types.lds).keys()]);
      await scene.change(world.service("a", ["10.1.1.1"]));
      await untilHeld(peer, types.lds, listener, false);
    },
  }),
  changing({
    name: "endpoints-that-are-gone-are-removed",
    rules: ["delta-removed"],
    variants: ["delta"],
    what: "names endpoints whose service is gone as removed",
    begin: (world) => [world.service("a", ["10.1.1.1"]), world.service("b", ["10.1.2.1"])],
    run: async (scene) => {
      const { world } = scene;
      const [a, b] = [world.cluster("a"), world.cluster("b")];
      const peer = await watching(scene, types.eds, a, b);
      await scene.change(world.service("a", ["10.1.1.1"]));
      await untilHeld(peer, types.eds, b, false);
      check(peer.held(types.eds).has(a), "the other endpoints", "they are gone, too");
    },
  }),
  changing({
    name: "service-that-comes-again-is-sent-again",
    rules: ["delta-removed", "sotw-whole", "unknown-name"],
    variants,
    what: "sends a cluster and its endpoints again that were gone for a while",
    begin: (world) => [world.service("a", ["10.1.1.1"]), world.service("b", ["10.1.2.1"])],
    run: async (scene) => {
      const { world } = scene;
      const [a, b] = [world.cluster("a"), world.cluster("b")];
      const peer = scene.connect();
      await followAll(peer, [a, b]);
      await scene.change(world.service("a", ["10.1.1.1"]));
      await untilHeld(peer, types.cds, b, false);
      await scene.change(world.service("a", ["10.1.1.1"]), world.service("b", ["10.1.2.2"]));
      const came = await untilHeld(peer, types.cds, b);
      const isSent = (): boolean =>
        came.some(
          ({ typeUrl, resources }) => typeUrl === types.eds && resources.some(({ name }) => name === b),
        );
      if (!isSent())
        await peer.until(
          (response) => response.typeUrl === types.eds && namesIn(response).includes(b),
          "endpoints of the service that came again",
        );
    },
  }),
  still({
    name: "extension-is-never-removed",
    rules: ["delta-ecds"],
    variants: ["delta"],
    what: "never names an extension as removed: a listener may still use it",
    run: async (scene) => {
      const peer = scene.connect();
      peer.ask(types.ecds, "nobody's extension");
      const removed = (await peer.flush()).flatMap((response) => response.removed);
      checkSame([], removed, "extensions that are removed");
    },
  }),
];
