import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { blockedReads } from "../requests/blocked-reader.ts";
import { type LookingMode, lookingModes, RequestsWorld } from "../requests/requests-world.ts";
import { type RequestsScenario, scenariosIn } from "../requests/scenarios.ts";
import { familiesOf } from "../scenarios/families.ts";
import type { Family } from "../scenarios/reviews-world.ts";
import { missingForKernel } from "../world/requirements.ts";

const missing = await missingForKernel();
const reason = missing.length === 0 ? undefined : missing.join("; ");

/**
 * What programs do is the same for both families but for addresses: the second mode is looked at over one, and what takes long
 * over another one in each mode. The long form, `npm run e2e -- requests`, has all.
 */
function familiesIn(mode: LookingMode, scenario: RequestsScenario): readonly Family[] {
  const all = familiesOf(scenario);
  if (mode === "queue") return all.slice(-1);
  return scenario.isLong === true ? all.slice(0, 1) : all;
}

describe.each(lookingModes)("[kernel] requests on native connections, --sockets=%s", (mode) => {
  let requests: RequestsWorld;

  beforeAll(async () => {
    if (reason === undefined) requests = await RequestsWorld.open(`requests${mode}`, mode);
  });
  afterAll(async () => {
    if (reason === undefined) await requests.close();
  });

  for (const scenario of scenariosIn(mode)) {
    for (const family of familiesIn(mode, scenario)) {
      test(`${scenario.name}, over ${family}`, { timeout: 120_000 }, async (context) => {
        context.skip(reason !== undefined, reason);
        await scenario.run(requests, family, { requests: 500, restarts: 1 });
      });
    }
  }
});

test("[kernel] what a caller that blocks in recv can tell of a socket that is looked at", async (context) => {
  context.skip(reason !== undefined, reason);
  const alike = { end: [0], bytes: ["0123456789"] };
  expect(await blockedReads(false)).toEqual({ ...alike, signal: "sleeps on", reset: ["ECONNRESET", 0] });
  expect(await blockedReads(true)).toEqual({ ...alike, signal: "EAGAIN", reset: ["EAGAIN", "ECONNRESET"] });
});
