// One control plane and one rule; callers on a node of the kernel's, beside an Envoy, and with neither: the same weights
// are the same split for all of them.
import { afterAll, beforeAll, describe, test } from "vitest";
import { callerNames } from "../mixed/callers.ts";
import { MixedWorld, type Weights } from "../mixed/mixed-world.ts";
import { missingPeers } from "../peers/peer-cache.ts";
import { assertShares } from "../scenarios/shares.ts";
import { missingForKernel } from "../world/requirements.ts";
import { until } from "../world/until.ts";

/** Calls that a split is measured with. */
const calls = 1_000;
/** Enough to tell one split from the other. */
const fewCalls = 200;

const first: Weights = { v1: 80, v2: 20 };
const second: Weights = { v1: 30, v2: 70 };

const sharesOf = (weights: Weights) =>
  Object.fromEntries(Object.entries(weights).map(([version, weight]) => [version, weight / 100]));

const missing = await missingForKernel();
const reason = missing.length > 0 ? missing.join("; ") : await missingPeers("envoy", "grpc-go");

describe("[kernel] mixed", () => {
  let mixed: MixedWorld;

  beforeAll(async () => {
    if (reason === undefined) mixed = await MixedWorld.open(first);
  });
  afterAll(async () => {
    await mixed?.[Symbol.asyncDispose]();
  });

  const mixedTest = (title: string, body: () => Promise<void>): void =>
    test(title, async ({ skip }) => {
      skip(reason !== undefined, reason);
      await body();
    });

  mixedTest("the same weights are the same split on all kinds of nodes", async () => {
    for (const caller of callerNames) assertShares(await mixed.split(caller, calls), sharesOf(first));
  });

  mixedTest("all of them follow a change of the rule", async () => {
    await mixed.setWeights(second);
    for (const caller of callerNames) {
      const follows = async (): Promise<boolean> => {
        assertShares(await mixed.split(caller, fewCalls), sharesOf(second));
        return true;
      };
      await until(follows, { what: `${caller} to follow the rule` });
      assertShares(await mixed.split(caller, calls), sharesOf(second));
    }
  });
});
