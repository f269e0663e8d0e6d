// Runs the connect tier's, the relay's, its programs', the node's and the requests' scenarios with the real control plane and applier; ends with
// 1 if any fails. For a guest without a test runner: node e2e/kernels/scenarios-in-guest.ts [--envoy PATH] [text…], of which one must be in a
// scenario's name. With an Envoy, a node whose relay it is comes last.
import { release } from "node:os";
import { parseArgs } from "node:util";
import { runNodeScenarios } from "../node/run.ts";
import { nodeScenarios } from "../node/scenarios.ts";
import { lookingModes } from "../requests/requests-world.ts";
import { runRequestsScenarios } from "../requests/run.ts";
import { familiesOf, requestsScenarios } from "../requests/scenarios.ts";
import { scenarios as allScenarios } from "../scenarios/index.ts";
import { envoyRelayScenarios, relayScenarios } from "../scenarios/relay.ts";
import { type Family, families, ReviewsWorld, type Scale } from "../scenarios/reviews-world.ts";
import { runScenarios } from "../scenarios/run.ts";
import type { Scenario } from "../scenarios/scenario.ts";
import { takenRequestsScenarios } from "../scenarios/taken-requests.ts";
import type { ApplierStart } from "../world/applier.ts";

/** An emulated machine is slow: enough connections for the bound on a split to mean something, and a short absence. */
const scale: Scale = { connections: 200, awayMs: 2_000, senders: 1 };

const {
  values: { envoy },
  positionals: texts,
} = parseArgs({ options: { envoy: { type: "string" } }, allowPositionals: true });
const isWanted = ({ name }: { readonly name: string }): boolean =>
  texts.length === 0 || texts.some((text) => name.includes(text));
const names = [
  ...allScenarios,
  ...relayScenarios,
  ...(envoy === undefined ? [] : envoyRelayScenarios),
  ...takenRequestsScenarios,
  ...nodeScenarios,
  ...requestsScenarios,
].map(({ name }) => name);
const unknown = texts.filter((text) => !names.some((name) => name.includes(text)));
if (unknown.length > 0)
  throw new Error(`no scenario's name has ${JSON.stringify(unknown)} in it; there are:\n${names.join("\n")}`);

/** Scenarios that share a world, how its agent is started, and over which families they are run. */
interface Kind {
  readonly scenarios: readonly Scenario[];
  readonly start: ApplierStart;
  readonly over: readonly Family[];
}

/** What differs between families is looked at in one mode, and with one relay. */
const allKinds: readonly Kind[] = [
  { scenarios: allScenarios, start: {}, over: families },
  { scenarios: relayScenarios, start: { relay: "builtin" }, over: families },
  { scenarios: takenRequestsScenarios, start: { relay: "builtin", sockets: "switch" }, over: families },
  { scenarios: takenRequestsScenarios, start: { relay: "builtin", sockets: "queue" }, over: ["IPv4"] },
  ...(envoy === undefined
    ? []
    : [{ scenarios: envoyRelayScenarios, start: { relay: "envoy", envoy }, over: ["IPv4"] } as const]),
];
const kinds = allKinds.map((kind) => ({ ...kind, scenarios: kind.scenarios.filter(isWanted) }));
const ofNode = nodeScenarios.filter(isWanted);
const ofRequests = requestsScenarios.filter(isWanted);

/** @returns how many do not hold, over both families. */
function failuresOf({ scenarios, start, over }: Kind): Promise<number> {
  return runScenarios<ReviewsWorld>({
    what: `an agent with relay ${start.relay ?? "none"} and --sockets=${start.sockets ?? "off"}`,
    open: () => ReviewsWorld.open("guest", scale, start),
    runs: over.flatMap((family) =>
      scenarios.map((scenario) => ({
        name: `${family}: ${scenario.name}`,
        async run(reviews) {
          await scenario.run(reviews, family);
          await reviews.withoutRules();
        },
      })),
    ),
  });
}

let failed = 0;
for (const kind of kinds) if (kind.scenarios.length > 0) failed += await failuresOf(kind);
if (ofNode.length > 0)
  failed += await runNodeScenarios("guestnode", { lanes: 2, rounds: 6, crashes: 3, alone: true }, ofNode);
if (ofRequests.length > 0)
  for (const mode of lookingModes)
    failed += await runRequestsScenarios("guestrequests", mode, { requests: 100, restarts: 1 }, ofRequests);
const all =
  kinds.reduce((sum, { scenarios, over }) => sum + scenarios.length * over.length, 0) +
  ofNode.length +
  lookingModes.length * ofRequests.flatMap(familiesOf).length;
console.log(`${release()}: ${all - failed} of ${all} scenarios hold`);
process.exitCode = failed === 0 ? 0 : 1;
