// Runs the connect tier's, the relay's, its programs', the node's and the requests' scenarios with the real control plane and applier; ends with
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
import { takenRequestsScenarios } from "../scenarios/taken-requests.ts";
import type { ApplierStart } from "../world/applier.ts";

/** An emulated machine is slow: enough connections for the bound on a split to mean something, and a short absence. */
const scale: Scale = { connections: 200, awayMs: 2_000, senders: 1 };

const texts = process.argv.slice(2);
const isWanted = ({ name }: { readonly name: string }): boolean =>
  texts.length === 0 || texts.some((text) => name.includes(text));
const names = [
  ...allScenarios,
  ...relayScenarios,
  ...takenRequestsScenarios,
  ...nodeScenarios,
  ...requestsScenarios,
].map(({ name }) => name);
const unknown = texts.filter((text) => !names.some((name) => name.includes(text)));
if (unknown.length > 0)
  throw new Error(`no scenario's name has ${JSON.stringify(unknown)} in it; there are:\n${names.join("\n")}`);

/** Those that share a world, and how its agent is started. */
const kinds: readonly (readonly [readonly Scenario[], ApplierStart])[] = [
  [allScenarios.filter(isWanted), {}],
  [relayScenarios.filter(isWanted), { relay: "builtin" }],
  [takenRequestsScenarios.filter(isWanted), { relay: "builtin", sockets: "switch" }],
];
const ofNode = nodeScenarios.filter(isWanted);
const ofRequests = requestsScenarios.filter(isWanted);

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
async function failuresOf(scenarios: readonly Scenario[], start: ApplierStart): Promise<number> {
  if (scenarios.length === 0) return 0;
  const open = (): Promise<ReviewsWorld> => ReviewsWorld.open("guest", scale, start);
  let failed = 0;
  let reviews = await open();
  try {
    for (const family of families) {
      for (const scenario of scenarios) {
        if (await holds(scenario, reviews, family)) continue;
        failed += 1;
        // It may have left anything behind.
        await reviews.close();
        reviews = await open();
      }
    }
  } finally {
    await reviews.close();
  }
  return failed;
}

let failed = 0;
for (const [scenarios, start] of kinds) failed += await failuresOf(scenarios, start);
if (ofNode.length > 0)
  failed += await runNodeScenarios("guestnode", { lanes: 2, rounds: 6, crashes: 3, alone: true }, ofNode);
if (ofRequests.length > 0)
  failed += await runRequestsScenarios("guestrequests", "count", { requests: 100, restarts: 1 }, ofRequests);
const all =
  families.length * kinds.flatMap(([scenarios]) => scenarios).length +
  ofNode.length +
  ofRequests.flatMap(familiesOf).length;
console.log(`${release()}: ${all - failed} of ${all} scenarios hold`);
process.exitCode = failed === 0 ? 0 : 1;
