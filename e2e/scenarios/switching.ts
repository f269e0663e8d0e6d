// What the node's agent does so that programs take requests off the way to the relay: by the rules of the moment, across its
// own ends and starts, and no longer than it is asked to.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { PinFolder } from "@keelson/bpf-applier";
import { BpfMap } from "bpf-maps-native";
import { until } from "../world/until.ts";
import { type Conversation, conversing, to } from "./conversation.ts";
import type { Family, ReviewsWorld } from "./reviews-world.ts";
import type { Scenario } from "./scenario.ts";

/** Of which the kernel takes most; which, depends on when links are there. */
const asked = 60;

async function countOf(reviews: ReviewsWorld, name: string): Promise<number> {
  return Number((await reviews.world.applier().status()).statistics[name]);
}

/** @returns how many of these requests programs took, and of the answers moved */
async function ask(
  reviews: ReviewsWorld,
  talk: Conversation,
  path: string,
  version: RegExp,
): Promise<{ taken: number; moved: number }> {
  const before = [await countOf(reviews, "switched_requests"), await countOf(reviews, "moved_answers")];
  for (let i = 0; i < asked; i++) assert.match(await talk.ask({ path }), version);
  const [taken = 0, moved = 0] = before;
  return {
    taken: (await countOf(reviews, "switched_requests")) - taken,
    moved: (await countOf(reviews, "moved_answers")) - moved,
  };
}

/** What has these names among the node's pins. */
async function pinned(reviews: ReviewsWorld, ...names: readonly string[]): Promise<string[]> {
  const pins = await PinFolder.find(reviews.world.applier().node);
  return names.filter((name) => existsSync(pins.map(name)));
}

async function tableIds(reviews: ReviewsWorld): Promise<bigint[]> {
  const pins = await PinFolder.find(reviews.world.applier().node);
  using map = BpfMap.openPinned(pins.map("match_tables_small"));
  const ids: bigint[] = [];
  for await (const key of map.keys()) ids.push(Buffer.from(key).readBigUInt64LE());
  return ids;
}

/** Runs on a node whose agent was started anew to switch requests, where the kernel lets it. */
async function switching(reviews: ReviewsWorld, body: () => Promise<void>): Promise<void> {
  await reviews.world.applier().stop();
  await reviews.startApplier({ sockets: "switch" });
  const { mode, lowerBecause } = (await reviews.world.applier().status()).sockets;
  if (mode === "switch") await body();
  else assert.notEqual(lowerBecause, undefined);
  await reviews.world.applier().stop();
  await reviews.startApplier();
  assert.deepEqual(await pinned(reviews, "links", "command", "callers", "switched_ports_0"), []);
}

const some = { match: [{ uri: { prefix: "/other" } }], route: [to("v3")] };

async function bothWays(reviews: ReviewsWorld, family: Family): Promise<void> {
  await conversing(reviews, family, async (talk) => {
    const sized = await ask(reviews, talk, "/sized", /^v[12]$/);
    assert.ok(sized.taken > asked / 4 && sized.moved > asked / 4, JSON.stringify(sized));
    const chunked = await ask(reviews, talk, "/", /^v[12]$/);
    assert.ok(chunked.taken > 0 && chunked.moved === 0, JSON.stringify(chunked));
    assert.equal(talk.ports.size, 1);
  });
}

async function afterCrash(reviews: ReviewsWorld, family: Family): Promise<void> {
  const before = await tableIds(reviews);
  await reviews.world.applier().kill();
  await reviews.startApplier({ sockets: "switch" });
  assert.deepEqual(await tableIds(reviews), before);
  await bothWays(reviews, family);
}

/** More than an agent lays into a match table at once. */
const many = Array.from({ length: 3_000 }, (_, number) => ({ uri: { exact: `/one-of-many/${number}` } }));

async function manyRules(reviews: ReviewsWorld, family: Family): Promise<void> {
  await conversing(reviews, family, async (talk) => {
    await reviews.httpRoutes({ match: many, route: [to("v3")] }, { route: [to("v1")] });
    // The relay has the rules from the start, and programs once their table is made.
    await ask(reviews, talk, "/sized", /^v1$/);
    const isMade = async () => (await reviews.world.applier().status()).switching?.ports === 1;
    await until(isMade, { what: "the match table of many rules" });
    const made = await ask(reviews, talk, "/sized", /^v1$/);
    assert.ok(made.taken > asked / 4, JSON.stringify(made));
    assert.match(await talk.ask({ path: "/one-of-many/2999" }), /^v3$/);
    assert.equal(talk.ports.size, 1);
  });
}

async function otherRules(reviews: ReviewsWorld, family: Family): Promise<void> {
  await conversing(reviews, family, async (talk) => {
    await reviews.httpRoutes(some, { route: [to("v2")] });
    const other = await ask(reviews, talk, "/sized", /^v2$/);
    assert.ok(other.taken > asked / 4, JSON.stringify(other));
    await reviews.httpRoutes(some, { route: [to("v1")], timeout: "60s" });
    assert.deepEqual(await ask(reviews, talk, "/sized", /^v1$/), { taken: 0, moved: 0 });
    await reviews.httpRoutes({ route: [to("v3")], timeout: "60s" }, { route: [to("v1")] });
    assert.deepEqual(await ask(reviews, talk, "/sized", /^v3$/), { taken: 0, moved: 0 });
    assert.deepEqual(await tableIds(reviews), []);
    assert.equal((await reviews.world.applier().status()).switching?.ports, 0);
    assert.equal(talk.ports.size, 1);
  });
}

export const switchingScenarios: readonly Scenario[] = [
  {
    name: "programs take requests by the rules of the moment, also after a crash of the agent, and no longer than asked to",
    // Rules have tables of endpoints for each family; all else is the same for both, and this one is met more rarely.
    over: ["IPv6"],
    async run(reviews, family) {
      await switching(reviews, async () => {
        await reviews.httpRoutes(some, { route: [to("v1", 50), to("v2", 50)] });
        await bothWays(reviews, family);
        await afterCrash(reviews, family);
        await manyRules(reviews, family);
        await otherRules(reviews, family);
      });
    },
  },
];
