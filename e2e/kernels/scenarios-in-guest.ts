// Runs the connect tier's, the relay's, its programs', the node's and the requests' scenarios with the real control plane and applier; ends with
// 1 if any fails. For a guest without a test runner: node e2e/kernels/scenarios-in-guest.ts [--envoy PATH] [text…], of which one must be in a
// scenario's name. With an Envoy, a node whose relay it is comes last.
import { release } from "node:os";
import { parseArgs } from "node:util";
import { runNodeScenarios } from "../node/run.ts";
import { nodeScenarios } from "../node/scenarios.ts";
import { lookingModes } from "../requests/requests-world.ts";
import { runRequestsScenarios } from "../requests/run.ts";
import { requestsScenarios, scenariosIn } from "../requests/scenarios.ts";
import { familiesOf } from "../scenarios/families.ts";
import { scenarios as allScenarios } from "../scenarios/index.ts";
import { envoyRelayScenarios, relayScenarios } from "../scenarios/relay.ts";
import { reviewsRuns } from "../scenarios/reviews-runs.ts";
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
const kinds = allKinds
  .map(({ scenarios, start, over }) => {
    const wanted = scenarios.filter(isWanted);
    return { start, runs: over.flatMap((family) => reviewsRuns(family, wanted)) };
  })
  .filter(({ runs }) => runs.length > 0);
const ofNode = nodeScenarios.filter(isWanted);
const ofRequests = lookingModes
  .map((mode) => ({ mode, scenarios: scenariosIn(mode).filter(isWanted) }))
  .filter(({ scenarios }) => scenarios.length > 0);

let failed = 0;
for (const { start, runs } of kinds) {
  failed += await runScenarios<ReviewsWorld>({
    what: `an agent with relay ${start.relay ?? "none"} and --sockets=${start.sockets ?? "off"}`,
    open: () => ReviewsWorld.open("guest", scale, start),
    runs,
  });
}
if (ofNode.length > 0)
  failed += await runNodeScenarios("guestnode", { lanes: 2, rounds: 6, crashes: 3, alone: true }, ofNode);
for (const { mode, scenarios } of ofRequests)
  failed += await runRequestsScenarios("guestrequests", mode, { requests: 100, restarts: 1 }, scenarios);
const all =
  kinds.flatMap(({ runs }) => runs).length +
  ofNode.length +
  ofRequests.flatMap(({ scenarios }) => scenarios).flatMap(familiesOf).length;
console.log(`${release()}: ${all - failed} of ${all} scenarios hold`);
process.exitCode = failed === 0 ? 0 : 1;
