import { scenariosOver } from "./families.ts";
import type { Family, ReviewsWorld } from "./reviews-world.ts";
import type { ScenarioRun } from "./run.ts";
import type { Scenario } from "./scenario.ts";

/** Scenarios as they are run over a family, those that are. Each leaves the world without rules. */
export const reviewsRuns = (family: Family, scenarios: readonly Scenario[]): ScenarioRun<ReviewsWorld>[] =>
  scenariosOver(family, scenarios).map((scenario) => ({
    name: `${family}: ${scenario.name}`,
    async run(reviews) {
      await scenario.run(reviews, family);
      await reviews.withoutRules();
    },
  }));
