import { afterAll, afterEach, beforeAll, describe, test } from "vitest";
import { scenariosOver } from "../scenarios/families.ts";
import { agentKilledAndHeld, killedAndHeld } from "../scenarios/killed-relays.ts";
import { relayScenarios } from "../scenarios/relay.ts";
import { type Family, families, ReviewsWorld } from "../scenarios/reviews-world.ts";
import type { Scenario } from "../scenarios/scenario.ts";
import { switchingScenarios } from "../scenarios/switching.ts";
import { missingForKernel } from "../world/requirements.ts";

const missing = await missingForKernel();
const reason = missing.length === 0 ? undefined : missing.join("; ");

/** What is held is the same for both families: each over one of them. The long form, `npm run e2e -- relay-deaths`, has all. */
const overOne = new Map<Scenario, Family>([
  [killedAndHeld, "IPv4"],
  [agentKilledAndHeld, "IPv6"],
]);

const scenariosOf = (family: Family): readonly Scenario[] =>
  scenariosOver(family, [...relayScenarios, ...switchingScenarios]).filter(
    (scenario) => (overOne.get(scenario) ?? family) === family,
  );

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

  for (const scenario of scenariosOf(family)) {
    test(scenario.name, async (context) => {
      context.skip(reason !== undefined, reason);
      await scenario.run(reviews, family);
    });
  }
});
