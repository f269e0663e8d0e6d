// What goes on while a part of Keelson is away.
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { uninstallNode } from "../world/applier.ts";
import { routeRule } from "../world/objects.ts";
import type { Scenario } from "./scenario.ts";
import { assertShares } from "./shares.ts";

/** Of each sender: programs that start need processors. */
const pauseMs = 5;

export const absenceScenarios: readonly Scenario[] = [
  {
    name: "with the applier stopped a new rule changes nothing, until the applier is back",
    async run(reviews, family) {
      const { world } = reviews;
      const target = reviews.target(family);
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
      assertShares(await reviews.answersByVersion(target), { v1: 1 / 3, v2: 1 / 3, v3: 1 / 3 });
      await world.startApplier();
      await world.settled();
      assert.deepEqual(Object.keys(await reviews.answersByVersion(target, 100)), ["v1"]);
    },
  },
  {
    name: "an applier that is killed and starts again changes nothing for traffic",
    async run(reviews, family) {
      const { world } = reviews;
      await reviews.weights({ v1: 50, v2: 50 });
      const { failures, answers } = await reviews.during(reviews.target(family, { pauseMs }), async () => {
        for (let i = 0; i < 3; i++) {
          await world.applier().kill();
          await world.startApplier();
          await world.settled();
        }
      });
      assert.deepEqual(failures, {});
      assertShares(reviews.byVersion(answers), { v1: 0.5, v2: 0.5 });
    },
  },
  {
    name: "a control plane that is away changes nothing for traffic, and is found again",
    async run(reviews, family) {
      const { world, scale } = reviews;
      await reviews.weights({ v1: 100 });
      const { failures, answers } = await reviews.during(
        reviews.target(family, { concurrency: 4, pauseMs }),
        async () => {
          await world.controlPlane.kill();
          await delay(scale.awayMs);
          await world.startControlPlane();
          await world.settled();
        },
      );
      assert.deepEqual(failures, {});
      assert.deepEqual(Object.keys(reviews.byVersion(answers)), ["v1"]);
      await reviews.weights({ v2: 100 });
      assert.deepEqual(Object.keys(await reviews.answersByVersion(reviews.target(family), 100)), ["v2"]);
    },
  },
  {
    name: "without control plane, an applier that starts on a node without maps brings back the last policy",
    async run(reviews, family) {
      const { world } = reviews;
      await reviews.weights({ v3: 100 });
      await world.applier().stop();
      await world.controlPlane.stop();
      await uninstallNode(world.applier().node);
      await world.startApplier();
      assert.deepEqual(Object.keys(await reviews.answersByVersion(reviews.target(family), 100)), ["v3"]);
      await world.startControlPlane();
      await world.settled();
    },
  },
];
