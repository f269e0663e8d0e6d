// What goes on while a part of Keelson is away.
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { uninstallNode } from "../world/applier.ts";
import { routeRule } from "../world/objects.ts";
import type { TrafficResult } from "../world/traffic.ts";
import { type Family, families, type ReviewsWorld } from "./reviews-world.ts";
import type { Scenario } from "./scenario.ts";
import { assertShares } from "./shares.ts";

/** Of each sender: programs that start need processors. */
const pauseMs = 5;
/** Each asks over all families, as what is away is away for all of them. */
const over: readonly Family[] = ["IPv4"];

/** Sends over all families while `action` runs. @param senders of all @returns what came of the traffic of each family */
async function duringOverAll(
  reviews: ReviewsWorld,
  senders: number,
  action: () => Promise<void>,
): Promise<readonly TrafficResult[]> {
  const results: TrafficResult[] = [];
  const more = { concurrency: Math.ceil(senders / families.length), pauseMs };
  const during = families.reduce<() => Promise<void>>(
    (inner, family) => async () => {
      results.push(await reviews.during(reviews.target(family, more), inner));
    },
    action,
  );
  await during();
  return results;
}

/** Sends some over all families. @throws AssertionError unless this version has all of them */
async function assertOnly(reviews: ReviewsWorld, version: string): Promise<void> {
  for (const family of families)
    assert.deepEqual(Object.keys(await reviews.answersByVersion(reviews.target(family), 100)), [version]);
}

export const absenceScenarios: readonly Scenario[] = [
  {
    name: "with the applier stopped a new rule changes nothing, until the applier is back",
    over,
    async run(reviews) {
      const { world } = reviews;
      await world.applier().stop();
      const { version } = await reviews.status();
      await world.config.write("rules", [
        routeRule({
          name: "reviews-default",
          destination: "reviews",
          route: [{ labels: { version: "v1" } }],
        }),
      ]);
      await reviews.until(async () => (await reviews.status()).version !== version);
      for (const family of families) {
        const answers = await reviews.answersByVersion(reviews.target(family));
        assertShares(answers, { v1: 1 / 3, v2: 1 / 3, v3: 1 / 3 });
      }
      await world.startApplier();
      await world.settled();
      await assertOnly(reviews, "v1");
    },
  },
  {
    name: "an applier that is killed and starts again changes nothing for traffic",
    over,
    async run(reviews) {
      const { world } = reviews;
      await reviews.weights({ v1: 50, v2: 50 });
      const results = await duringOverAll(reviews, reviews.scale.senders, async () => {
        for (let i = 0; i < 3; i++) {
          await world.applier().kill();
          await world.startApplier();
          await world.settled();
        }
      });
      for (const { failures, answers } of results) {
        assert.deepEqual(failures, {});
        assertShares(reviews.byVersion(answers), { v1: 0.5, v2: 0.5 });
      }
    },
  },
  {
    name: "a control plane that is away changes nothing for traffic, and is found again",
    over,
    async run(reviews) {
      const { world, scale } = reviews;
      await reviews.weights({ v1: 100 });
      const results = await duringOverAll(reviews, 4, async () => {
        await world.controlPlane.kill();
        await delay(scale.awayMs);
        await world.startControlPlane();
        await world.settled();
      });
      for (const { failures, answers } of results) {
        assert.deepEqual(failures, {});
        assert.deepEqual(Object.keys(reviews.byVersion(answers)), ["v1"]);
      }
      await reviews.weights({ v2: 100 });
      await assertOnly(reviews, "v2");
    },
  },
  {
    name: "without control plane, an applier that starts on a node without maps brings back the last policy",
    over,
    async run(reviews) {
      const { world } = reviews;
      await reviews.weights({ v3: 100 });
      await world.applier().stop();
      await world.controlPlane.stop();
      await uninstallNode(world.applier().node);
      await world.startApplier();
      await assertOnly(reviews, "v3");
      await world.startControlPlane();
      await world.settled();
    },
  },
];
