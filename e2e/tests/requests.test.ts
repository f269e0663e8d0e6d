import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { blockedReads } from "../requests/blocked-reader.ts";
import { lookingModes, RequestsWorld } from "../requests/requests-world.ts";
import { scenariosIn } from "../requests/scenarios.ts";
import { familiesOf } from "../scenarios/families.ts";
import { missingForKernel } from "../world/requirements.ts";

const missing = await missingForKernel();
const reason = missing.length === 0 ? undefined : missing.join("; ");

describe.each(lookingModes)("[kernel] requests on native connections, --sockets=%s", (mode) => {
  let requests: RequestsWorld;

  beforeAll(async () => {
    if (reason === undefined) requests = await RequestsWorld.open(`requests${mode}`, mode);
  });
  afterAll(async () => {
    if (reason === undefined) await requests.close();
  });

  for (const scenario of scenariosIn(mode)) {
    // What programs do is the same for both families but for addresses: the second mode is looked at over one.
    for (const family of mode === "count" ? familiesOf(scenario) : familiesOf(scenario).slice(-1)) {
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
