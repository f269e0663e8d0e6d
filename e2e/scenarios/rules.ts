// Which rule counts, and in what shares.
import assert from "node:assert/strict";
import type { Scenario } from "./scenario.ts";
import { assertShares } from "./shares.ts";

const onlyV1 = { v1: 100 };

export const ruleScenarios: readonly Scenario[] = [
  {
    name: "without a rule all versions answer alike; with the rule, v1 alone",
    async run(reviews, family) {
      const target = reviews.target(family);
      assertShares(await reviews.answersByVersion(target), { v1: 1 / 3, v2: 1 / 3, v3: 1 / 3 });
      await reviews.weights(onlyV1);
      assert.deepEqual(await reviews.answersByVersion(target), { v1: reviews.scale.connections });
    },
  },
  {
    name: "weights of 80 and 20, then of 50 and 50",
    async run(reviews, family) {
      const target = reviews.target(family);
      await reviews.weights({ v1: 80, v3: 20 });
      assertShares(await reviews.answersByVersion(target), { v1: 0.8, v3: 0.2 });
      await reviews.weights({ v2: 50, v3: 50 });
      assertShares(await reviews.answersByVersion(target), { v2: 0.5, v3: 0.5 });
    },
  },
  {
    name: "the rule of the higher precedence counts, and among equals the name that sorts first",
    async run(reviews, family) {
      const target = reviews.target(family);
      const to = (version: string) => [{ labels: { version } }];
      const low = { name: "a-low", precedence: 1, route: to("v1") };
      await reviews.rules(low, { name: "b-high", precedence: 2, route: to("v2") });
      assert.deepEqual(Object.keys(await reviews.answersByVersion(target, 100)), ["v2"]);
      await reviews.rules(low, { name: "b-equal", precedence: 1, route: to("v2") });
      assert.deepEqual(Object.keys(await reviews.answersByVersion(target, 100)), ["v1"]);
      const { rules } = (await reviews.explain()).ports[0] ?? {};
      assert.deepEqual(
        rules?.map(({ rule, state }) => [rule, state]),
        [
          ["RouteRule default/a-low", "applies"],
          ["RouteRule default/b-equal", "shadowed"],
        ],
      );
    },
  },
  {
    name: "a label that no pod has refuses its share, and explain says so",
    async run(reviews, family) {
      const target = reviews.target(family);
      await reviews.weights({ v9: 100 });
      const { answers, failures } = await reviews.send(target, 100);
      assert.deepEqual([answers, failures], [{}, { ECONNREFUSED: 100 }]);
      const [destination] = (await reviews.explain()).ports[0]?.destinations ?? [];
      assert.match(destination?.warning ?? "", /has the labels version=v9.*refused/);
      await reviews.weights({ v1: 70, v9: 30 });
      const part = await reviews.send(target);
      assert.deepEqual(Object.keys(part.failures), ["ECONNREFUSED"]);
      assertShares({ ...reviews.byVersion(part.answers), ...part.failures }, { v1: 0.7, ECONNREFUSED: 0.3 });
    },
  },
];
