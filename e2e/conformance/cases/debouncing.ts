import { setTimeout as pause } from "node:timers/promises";
import type { KubernetesObject } from "../../world/objects.ts";
import { type ChangingScene, type ConformanceCase, changing, NotPossible } from "../case.ts";
import { type Response, variants } from "../peer/messages.ts";
import { check } from "../peer/nonconformity.ts";
import type { Peer } from "../peer/peer.ts";
import { types } from "../peer/types.ts";
import { heldEndpoints, namesIn, untilEndpoint, untilHeld, watching } from "./steps.ts";

/** Time in ms from one change to the next, and the longest that counts: under the 100 ms of quiet that are waited for. */
const [gapMs, longestGapMs] = [50, 85] as const;
/** Pairs of changes; a busy machine may tear some of them apart. */
const rounds = 7;
const mostTries = 5 * rounds;
/** Longer than changes may be held back, in ms. */
const endlessMs = 13_000;

/** Two changes one right after the other. */
interface Pair {
  readonly first: readonly KubernetesObject[];
  readonly second: readonly KubernetesObject[];
  /** Takes responses until the second has come. @returns whether the first came by itself */
  readonly untilSecond: () => Promise<boolean>;
}

/** @throws Nonconformity unless most pairs of changes came together. */
async function checkTogether({ change }: ChangingScene, pairOf: (round: number) => Pair): Promise<void> {
  let [count, apart] = [0, 0];
  for (let tries = 1; count < rounds; tries += 1) {
    if (tries > mostTries) throw new NotPossible(`two changes are more than ${longestGapMs} ms apart here`);
    const { first, second, untilSecond } = pairOf(tries);
    await change(...first);
    const start = performance.now();
    await pause(gapMs);
    await change(...second);
    const gap = performance.now() - start;
    const wasApart = await untilSecond();
    if (gap > longestGapMs) continue;
    count += 1;
    if (wasApart) apart += 1;
  }
  const what = `most of ${rounds} pairs of changes ${gapMs} ms apart to come as one`;
  check(apart < rounds / 2, what, `${apart} of them in two responses`);
}

export const debouncing: readonly ConformanceCase[] = [
  changing({
    name: "endpoints-that-change-quickly-are-sent-together",
    rules: ["debounce-endpoints", "debounce-latest"],
    variants,
    alone: true,
    what: "sends two changes of endpoints one right after the other as one",
    begin: (world) => [world.service("a", ["10.1.0.1"])],
    run: async (scene) => {
      const { world } = scene;
      const a = world.cluster("a");
      const peer = await watching(scene, types.eds, a);
      await checkTogether(scene, (round) => ({
        first: [world.service("a", [`10.1.1.${round}`])],
        second: [world.service("a", [`10.1.2.${round}`])],
        untilSecond: async () => {
          let wasApart = false;
          await peer.until(() => {
            const held = heldEndpoints(peer, a)?.join() ?? "";
            wasApart ||= held === `10.1.1.${round}:80`;
            return held === `10.1.2.${round}:80`;
          }, "the second change");
          return wasApart;
        },
      }));
    },
  }),
  changing({
    name: "services-that-change-quickly-are-sent-together",
    rules: ["debounce-quiet", "debounce-latest"],
    variants,
    alone: true,
    what: "sends two changes of services one right after the other as one",
    begin: (world) => [world.service("a", ["10.1.0.1"])],
    run: async (scene) => {
      const { world } = scene;
      const peer = await watching(scene, types.cds);
      await checkTogether(scene, (round) => {
        const [first, second] = [`first${round}`, `second${round}`];
        return {
          first: [world.service(first, ["10.1.1.1"])],
          second: [world.service(second, ["10.1.2.1"])],
          untilSecond: () => heardOf(peer, world.cluster(first), world.cluster(second)),
        };
      });
    },
  }),
  changing({
    name: "change-and-change-back-ends-as-it-began",
    rules: ["debounce-latest"],
    variants,
    what: "brings a client to what there is at last when something comes and goes",
    begin: (world) => [world.service("a", ["10.1.1.1"])],
    run: async (scene) => {
      const { world } = scene;
      const [a, b] = [world.cluster("a"), world.cluster("b")];
      const peer = await watching(scene, types.cds);
      peer.ask(types.eds, a);
      await peer.take(types.eds);
      await scene.change(world.service("a", ["10.1.1.2"]), world.service("b", ["10.1.2.1"]));
      await scene.change(world.service("a", ["10.1.1.3"]));
      await untilEndpoint(peer, a, "10.1.1.3");
      await peer.flush();
      if (peer.held(types.cds).has(b)) await untilHeld(peer, types.cds, b, false);
    },
  }),
  changing({
    name: "changes-without-end-are-sent",
    rules: ["debounce-most"],
    variants,
    alone: true,
    slow: true,
    what: "sends changes that come without a pause all the same, before they end",
    begin: (world) => [world.service("a", ["10.1.1.200"])],
    run: async (scene) => {
      const { world } = scene;
      const a = world.cluster("a");
      const peer = scene.connect({ patienceMs: endlessMs });
      peer.ask(types.eds, a);
      await peer.take(types.eds);
      const pushed = peer.response("a push while changes go on");
      const end = performance.now() + endlessMs;
      let first: Response | undefined;
      for (let i = 1; first === undefined && performance.now() < end; i += 1) {
        await scene.change(world.service("a", [`10.1.1.${i % 200}`]));
        first = await Promise.race([pushed, pause(gapMs / 2, undefined)]);
      }
      check(first !== undefined, `a push within ${endlessMs / 1000} s of changes without a pause`, "none");
      check(namesIn(first).includes(a), "the endpoints that change", namesIn(first));
    },
  }),
];

/** Takes responses until one cluster has come and another is gone. @returns whether that one was ever there */
async function heardOf(peer: Peer, first: string, second: string): Promise<boolean> {
  let wasThere = false;
  await peer.until(() => {
    const held = peer.held(types.cds);
    wasThere ||= held.has(first);
    return held.has(second) && !held.has(first);
  }, `the cluster ${second}, and ${first} gone`);
  return wasThere;
}
