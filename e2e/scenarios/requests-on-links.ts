// Requests that programs have put on links, as the relay that has opened those is killed.
import assert from "node:assert/strict";
import { foundByRelays, killOnce } from "../relay-deaths/deaths.ts";
import { allTo, type Conversation, conversing } from "./conversation.ts";
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
/** Has a link of its own once the others wait for answers. */
const last = "the last";
/** Whose requests are the relay's. */
const relayed = { connection: "relayed", headers: { long: "x".repeat(9_000) } };
const connections = [...Object.keys(asked), last];

/** Requests by what programs made of them. */
async function seen(reviews: ReviewsWorld): Promise<{ taken: number; all: number }> {
  const { statistics } = await reviews.world.applier().status();
  const of = ([name, value]: [string, unknown]): number => (name.startsWith("passed_") ? Number(value) : 0);
  const taken = Number(statistics["switched_requests"] ?? 0);
  return { taken, all: taken + Object.entries(statistics).reduce((sum, entry) => sum + of(entry), 0) };
}

interface Waiting {
  /** All of them are on links. */
  readonly areTaken: boolean;
  /** Once the server was asked for what it has to answer. */
  readonly outcomes: Promise<string[]>;
}

/** Asks for answers that the server holds back, on one connection after another. Resolves when programs have seen all. */
async function askForLater(reviews: ReviewsWorld, talk: Conversation): Promise<Waiting> {
  const before = await seen(reviews);
  const asks: Promise<string>[] = [];
  for (const [connection, path] of Object.entries(asked)) {
    asks.push(talk.ask({ connection, path }));
    await reviews.until(async () => (await seen(reviews)).all - before.all === asks.length);
  }
  const areTaken = (await seen(reviews)).taken - before.taken === asks.length;
  return { areTaken, outcomes: Promise.all(asks) };
}

/** Has the server answer all. */
async function release(talk: Conversation, { outcomes }: Waiting): Promise<void> {
  const done = outcomes.then(() => true);
  const isDone = (): Promise<boolean> => Promise.race([done, Promise.resolve(false)]);
  // What the relay carries may reach the server later than what it is asked behind it.
  while (!(await isDone())) await talk.ask({ ...relayed, path: "/now" });
}

/** The same, once there is a link for each of them at once. */
async function allOnLinks(reviews: ReviewsWorld, talk: Conversation): Promise<Waiting> {
  const waiting = await askForLater(reviews, talk);
  if (waiting.areTaken) return waiting;
  await release(talk, waiting);
  return allOnLinks(reviews, talk);
}

/** Asks the last until programs take it: there is a link for it, which is idle again. */
const untilLastTaken = (reviews: ReviewsWorld, talk: Conversation): Promise<void> =>
  reviews.until(async () => {
    const { taken } = await during(reviews, async () => {
      await talk.ask({ ...sized, connection: last });
    });
    return taken === 1;
  });

export const requestsOnLinksScenarios: readonly Scenario[] = [
  {
    name: "requests that programs have on links outlive the relay, whoever is to carry their answers",
    async run(reviews, family) {
      // One route alone would be decided once for a connection.
      await reviews.httpRoutes({ match: [{ uri: { prefix: "/other" } }], ...allTo("v2") }, allTo("v1"));
      await conversing(reviews, family, async (talk) => {
        const before = (await foundByRelays(reviews)).length;
        await talk.ask(relayed);
        const waiting = await allOnLinks(reviews, talk);
        await untilLastTaken(reviews, talk);
        let waits = Promise.resolve("");
        await killOnce(reviews, async () => {
          // Programs leave it to the next relay.
          waits = talk.ask(relayed);
          // Programs take it without a relay; the server answers all that it has.
          assert.equal(await talk.ask({ path: "/now/sized", connection: last }), "v1");
        });
        assert.equal(await waits, "v1");
        await release(talk, waiting);
        assert.deepEqual(
          await waiting.outcomes,
          Object.keys(asked).map(() => "v1"),
        );
        await release(talk, await allOnLinks(reviews, talk));
        await untilLastTaken(reviews, talk);
        assert.equal(talk.ports.size, connections.length + 1);
        const found = (await foundByRelays(reviews)).slice(before);
        assert.equal(found.length, 1);
        assert.equal(found[0]?.closed, 0);
        assert.ok((found[0]?.links ?? 0) >= connections.length);
      });
    },
  },
];
