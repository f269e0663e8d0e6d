import { afterAll, afterEach, beforeAll, describe, test } from "vitest";
import { missingPeers, requirePeer } from "../peers/peer-cache.ts";
import { scenariosOver } from "../scenarios/families.ts";
import { envoyRelayScenarios } from "../scenarios/relay.ts";
import { ReviewsWorld } from "../scenarios/reviews-world.ts";
import { missingForKernel } from "../world/requirements.ts";

const missing = await missingForKernel();
const reason = missing.length === 0 ? await missingPeers("envoy") : missing.join("; ");

/** `npm run e2e -- relay-envoy` has all, for both families. */
const short = /^(weights hold|a change of the rule|requests are counted|a relay that is killed)/;
const family = "IPv4";
const scenarios = scenariosOver(family, envoyRelayScenarios).filter(({ name }) => short.test(name));

describe("[kernel] relay home at an Envoy", () => {
  let reviews: ReviewsWorld;

  beforeAll(async () => {
    if (reason !== undefined) return;
    const { program } = await requirePeer("envoy");
    const scale = { connections: 200, awayMs: 0, senders: 4 };
    reviews = await ReviewsWorld.open("envoyrelay", scale, { relay: "envoy", envoy: program });
  });
  afterEach(async () => {
    if (reason === undefined) await reviews.withoutRules();
  });
  afterAll(async () => {
    if (reason === undefined) await reviews.close();
  });

  for (const scenario of scenarios) {
    test(scenario.name, async (context) => {
      context.skip(reason !== undefined, reason);
      await scenario.run(reviews, family);
    });
  }
});
