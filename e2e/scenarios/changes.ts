// What changes while traffic runs.
import assert from "node:assert/strict";
import { formatLocation } from "@keelson/model";
import type { Scenario } from "./scenario.ts";

const changes = 50;

export const changeScenarios: readonly Scenario[] = [
  {
    name: `no connection fails while the rule changes ${changes} times`,
    async run(reviews, family) {
      const { failures, answers } = await reviews.during(reviews.target(family), async () => {
        for (let i = 0; i < changes; i++) await reviews.weights({ v1: 50 + (i % 50), v3: 50 - (i % 50) });
      });
      assert.deepEqual(failures, {});
      // Before the first change v2 may answer, too.
      const seen = Object.keys(reviews.byVersion(answers)).filter((version) => version !== "v2");
      assert.deepEqual(seen.sort(), ["v1", "v3"]);
    },
  },
  {
    name: "a pod that is added gets connections, one that is removed gets no more, and none fails meanwhile",
    async run(reviews, family) {
      const { world } = reviews;
      const target = reviews.target(family);
      const name = `reviews-v2-${family.toLowerCase()}`;
      const { failures } = await reviews.during(target, async () => {
        const [pod] = await world.addPods({ name, labels: { app: "reviews", version: "v2" } });
        await pod?.startEchoServer(8080);
        await world.change(() => reviews.writeObjects());
        assert.ok(((await reviews.send(target, 200)).answers[name] ?? 0) > 0, "the new pod got nothing");
        await world.change(() => reviews.writeObjects([name]));
        assert.equal((await reviews.send(target, 200)).answers[name], undefined);
      });
      assert.deepEqual(failures, {});
      await world.removePod(name);
    },
  },
  {
    name: "a broken file keeps its last good content",
    async run(reviews, family) {
      const target = reviews.target(family);
      await reviews.weights({ v2: 100 });
      await reviews.world.config.write("rules", "kind: RouteRule\n  metadata: [\n");
      await reviews.until(async () =>
        (await reviews.problems()).some(({ severity }) => severity === "error"),
      );
      const [problem] = await reviews.problems();
      assert.match(formatLocation(problem?.location ?? { file: "" }), /rules\.yaml:1:7$/);
      assert.deepEqual(Object.keys(await reviews.answersByVersion(target, 100)), ["v2"]);
    },
  },
];
