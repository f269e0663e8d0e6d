// Requests that programs have put on links, as the relay that has opened those is killed.
import assert from "node:assert/strict";
import { foundByRelays, killOnce } from "../relay-deaths/deaths.ts";
import { allTo, type Conversation, conversing } from "./relay.ts";
import type { ReviewsWorld } from "./reviews-world.ts";
import type { Scenario } from "./scenario.ts";
import { during, sized } from "./taken.ts";

/** Names of connections: what is asked on each when the relay dies. Answers that tell their length are moved, others passed. */
const asked = {
  moved: "/later/sized",
  "moved, too": "/later/sized",
  passed: "/later",
  "passed, too": "/later",
};
const last = "the last";
const connections = [...Object.keys(asked), last];

/** Programs take a request on each of the connections at once. */
async function untilAllTaken(reviews: ReviewsWorld, talk: Conversation): Promise<void> {
  const askAll = async (): Promise<void> => {
    await Promise.all(connections.map((connection) => talk.ask({ ...sized, connection })));
  };
  await reviews.until(async () => (await during(reviews, askAll)).taken === connections.length);
}

/** Resolves when programs have taken a request on each but the last. @returns outcomes, once there are answers */
async function askForLater(
  reviews: ReviewsWorld,
  talk: Conversation,
): Promise<{ outcomes: Promise<string[]> }> {
  const taken = async (): Promise<number> =>
    Number((await reviews.world.applier().status()).statistics["switched_requests"] ?? 0);
  const before = await taken();
  const asks = Object.entries(asked).map(([connection, path]) => talk.ask({ connection, path }));
  await reviews.until(async () => (await taken()) - before === asks.length);
  return { outcomes: Promise.all(asks) };
}

export const requestsOnLinksScenarios: readonly Scenario[] = [
  {
    name: "requests that programs have on links outlive the relay, whoever is to carry their answers",
    async run(reviews, family) {
      // One route alone would be decided once for a connection.
      await reviews.httpRoutes({ match: [{ uri: { prefix: "/other" } }], ...allTo("v2") }, allTo("v1"));
      await conversing(reviews, family, async (talk) => {
        await untilAllTaken(reviews, talk);
        const before = (await foundByRelays(reviews)).length;
        const { outcomes } = await askForLater(reviews, talk);
        await killOnce(reviews, async () => {
          // Programs take it without a relay; the server answers all that it has.
          assert.equal(await talk.ask({ path: "/now/sized", connection: last }), "v1");
        });
        assert.deepEqual(
          await outcomes,
          Object.keys(asked).map(() => "v1"),
        );
        await untilAllTaken(reviews, talk);
        assert.equal(talk.ports.size, connections.length);
        const found = (await foundByRelays(reviews)).slice(before);
        assert.equal(found.length, 1);
        assert.equal(found[0]?.closed, 0);
        assert.ok((found[0]?.links ?? 0) >= connections.length);
      });
    },
  },
];
