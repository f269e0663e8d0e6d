import { afterAll, afterEach, beforeAll, describe, test } from "vitest";
import { scenariosOver } from "../scenarios/families.ts";
import { relayScenarios } from "../scenarios/relay.ts";
import { families, ReviewsWorld } from "../scenarios/reviews-world.ts";
import { switchingScenarios } from "../scenarios/switching.ts";
import { missingForKernel } from "../world/requirements.ts";

const missing = await missingForKernel();
const reason = missing.length === 0 ? undefined : missing.join("; ");

describe.each(families)("[kernel] relay home over %s", (family) => {
  let reviews: ReviewsWorld;

  beforeAll(async () => {
    if (reason !== undefined) return;
    const scale = { connections: 200, awayMs: 0, senders: 4 };
    reviews = await ReviewsWorld.open(`relay${family.toLowerCase()}`, scale, { relay: "builtin" });
  });
  afterEach(async () => {
    if (reason === undefined) await reviews.withoutRules();
  });
  afterAll(async () => {
    if (reason === undefined) await reviews.close();
  });

  for (const scenario of scenariosOver(family, [...relayScenarios, ...switchingScenarios])) {
    test(scenario.name, async (context) => {
      context.skip(reason !== undefined, reason);
      await scenario.run(reviews, family);
    });
  }
});
