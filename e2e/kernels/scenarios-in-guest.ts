// Runs the connect tier's, the relay's, the node's and the requests' scenarios with the real control plane and applier; ends with
// 1 if any fails. For a guest without a test runner: node e2e/kernels/scenarios-in-guest.ts [text…], of which one must be in a scenario's name.
import { release } from "node:os";
import { runNodeScenarios } from "../node/run.ts";
import { nodeScenarios } from "../node/scenarios.ts";
import { runRequestsScenarios } from "../requests/run.ts";
import { familiesOf, requestsScenarios } from "../requests/scenarios.ts";
import { scenarios as allScenarios } from "../scenarios/index.ts";
import { relayScenarios } from "../scenarios/relay.ts";
import { type Family, families, ReviewsWorld, type Scale } from "../scenarios/reviews-world.ts";
import type { Scenario } from "../scenarios/scenario.ts";

/** An emulated machine is slow: enough connections for the bound on a split to mean something, and a short absence. */
const scale: Scale = { connections: 200, awayMs: 2_000, senders: 1 };

const texts = process.argv.slice(2);
const isWanted = ({ name }: { readonly name: string }): boolean =>
  texts.length === 0 || texts.some((text) => name.includes(text));
const names = [...allScenarios, ...relayScenarios, ...nodeScenarios, ...requestsScenarios].map(
  ({ name }) => name,
);
const unknown = texts.filter((text) => !names.some((name) => name.includes(text)));
if (unknown.length > 0)
  throw new Error(`no scenario's name has ${JSON.stringify(unknown)} in it; there are:\n${names.join("\n")}`);

/** By what the node's agent decides requests with. */
const scenarios = {
  none: allScenarios.filter(isWanted),
  builtin: relayScenarios.filter(isWanted),
} as const;
type Relay = keyof typeof scenarios;
const ofNode = nodeScenarios.filter(isWanted);
const ofRequests = requestsScenarios.filter(isWanted);

const openWorld = (relay: Relay): Promise<ReviewsWorld> =>
  ReviewsWorld.open("guest", scale, relay === "none" ? {} : { relay });

/** @returns whether it holds; says so. */
async function holds(scenario: Scenario, reviews: ReviewsWorld, family: Family): Promise<boolean> {
  const startedAt = performance.now();
  const seconds = (): string => ((performance.now() - startedAt) / 1000).toFixed(1);
  try {
    await scenario.run(reviews, family);
    await reviews.withoutRules();
    console.log(`ok      ${family}: ${scenario.name} (${seconds()} s)`);
    return true;
  } catch (error) {
    console.log(`FAILED  ${family}: ${scenario.name} (${seconds()} s)`);
    console.log(error instanceof Error ? error.stack : error);
    return false;
  }
}

/** @returns how many do not hold, over both families. */
async function failuresWith(relay: Relay): Promise<number> {
  let failed = 0;
  if (scenarios[relay].length === 0) return failed;
  let reviews = await openWorld(relay);
  try {
    for (const family of families) {
      for (const scenario of scenarios[relay]) {
        if (await holds(scenario, reviews, family)) continue;
        failed += 1;
        // It may have left anything behind.
        await reviews.close();
        reviews = await openWorld(relay);
      }
    }
  } finally {
    await reviews.close();
  }
  return failed;
}

let failed = 0;
for (const relay of ["none", "builtin"] as const) failed += await failuresWith(relay);
if (ofNode.length > 0)
  failed += await runNodeScenarios("guestnode", { lanes: 2, rounds: 6, crashes: 3, alone: true }, ofNode);
if (ofRequests.length > 0)
  failed += await runRequestsScenarios("guestrequests", { requests: 100, restarts: 1 }, ofRequests);
const all =
  families.length * (scenarios.none.length + scenarios.builtin.length) +
  ofNode.length +
  ofRequests.flatMap(familiesOf).length;
console.log(`${release()}: ${all - failed} of ${all} scenarios hold`);
process.exitCode = failed === 0 ? 0 : 1;
