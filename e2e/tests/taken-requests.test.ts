import { afterAll, afterEach, beforeAll, describe, test } from "vitest";
import { scenariosOver } from "../scenarios/families.ts";
import { families, ReviewsWorld } from "../scenarios/reviews-world.ts";
import { takenRequestsScenarios } from "../scenarios/taken-requests.ts";
import { missingForKernel } from "../world/requirements.ts";

const missing = await missingForKernel();
const reason = missing.length === 0 ? undefined : missing.join("; ");

describe("[kernel] requests that programs take off the way to the relay", () => {
  let reviews: ReviewsWorld;

  beforeAll(async () => {
    if (reason !== undefined) return;
    const scale = { connections: 200, awayMs: 0, senders: 4 };
    reviews = await ReviewsWorld.open("taken", scale, { relay: "builtin", sockets: "switch" });
  });
  afterEach(async () => {
    if (reason === undefined) await reviews.withoutRules();
  });
  afterAll(async () => {
    if (reason === undefined) await reviews.close();
  });

  for (const family of families) {
    for (const scenario of scenariosOver(family, takenRequestsScenarios)) {
      test(`${scenario.name}, over ${family}`, async (context) => {
        context.skip(reason !== undefined, reason);
        await scenario.run(reviews, family);
      });
    }
  }
});
