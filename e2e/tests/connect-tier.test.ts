import { afterAll, afterEach, beforeAll, describe, test } from "vitest";
import { scenariosOver } from "../scenarios/families.ts";
import { scenarios } from "../scenarios/index.ts";
import { families, ReviewsWorld } from "../scenarios/reviews-world.ts";
import { missingForKernel } from "../world/requirements.ts";

const missing = await missingForKernel();
const reason = missing.length === 0 ? undefined : missing.join("; ");

describe.each(families)("[kernel] connect tier over %s", (family) => {
  let reviews: ReviewsWorld;

  beforeAll(async () => {
    if (reason !== undefined) return;
    reviews = await ReviewsWorld.open(`connect${family.toLowerCase()}`);
  });
  afterEach(async () => {
    if (reason === undefined) await reviews.withoutRules();
  });
  afterAll(async () => {
    if (reason === undefined) await reviews.close();
  });

  for (const scenario of scenariosOver(family, scenarios)) {
    test(scenario.name, { timeout: 180_000 }, async (context) => {
      context.skip(reason !== undefined, reason);
      await scenario.run(reviews, family);
    });
  }
});
