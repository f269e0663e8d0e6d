// What of requests that programs carry reaches the relay's process.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { allTo, conversing } from "./conversation.ts";
import type { ReviewsWorld } from "./reviews-world.ts";
import type { Scenario } from "./scenario.ts";
import { during, sized, untilTaken } from "./taken.ts";

/** How often the relay has gone to sleep, which is how often it was woken. */
async function wakesOf(reviews: ReviewsWorld): Promise<number> {
  const { relay } = await reviews.world.applier().status();
  const status = await readFile(`/proc/${relay?.pid}/status`, "utf8");
  return Number(/^voluntary_ctxt_switches:\s*(\d+)$/m.exec(status)?.[1]);
}

export const relayWakesScenarios: readonly Scenario[] = [
  {
    name: "answers that programs move do not wake the relay, and those that are left to it on the same links arrive",
    async run(reviews, family) {
      // One route alone would be decided once for a connection.
      await reviews.httpRoutes({ match: [{ uri: { prefix: "/other" } }], ...allTo("v2") }, allTo("v1"));
      await conversing(reviews, family, async (talk) => {
        await untilTaken(reviews, talk);
        const left = await during(reviews, async () => {
          for (let i = 0; i < 10; i++) {
            assert.equal(await talk.ask(sized), "v1");
            // Tells no length.
            assert.equal(await talk.ask({ path: "/" }), "v1");
          }
        });
        assert.ok(left.taken > left.moved, "programs left no answer to the relay");
        await untilTaken(reviews, talk);
        const times = 4 * reviews.scale.connections;
        const before = await wakesOf(reviews);
        const { moved } = await during(reviews, async () => {
          for (let i = 0; i < times; i++) await talk.ask(sized);
        });
        const wakes = (await wakesOf(reviews)) - before;
        assert.ok(moved >= times * 0.9, `programs moved ${moved} of ${times} answers`);
        // It looks at its connections now and then, is asked how it stands, and carries what was not moved: of a slow machine more.
        assert.ok(wakes < moved / 2, `the relay was woken ${wakes} times by ${moved} answers`);
      });
    },
  },
];
