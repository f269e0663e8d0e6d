// Our own control plane passes every case of the conformance program, and faults in it are found; a real istiod still
// differs where the list says so. (`npm run e2e -- conformance --start istiod` examines it by all cases.)
import { describe, expect, test } from "vitest";
import type { ConformanceCase } from "../conformance/case.ts";
import { cases } from "../conformance/cases/index.ts";
import {
  type Differences,
  differenceKey,
  istiodDifferences,
  readDifferences,
} from "../conformance/differences.ts";
import { faults } from "../conformance/faults/faults.ts";
import { seeded } from "../conformance/faults/seeded.ts";
import type { Outcome } from "../conformance/outcome.ts";
import { textReport } from "../conformance/report.ts";
import { type Planned, run } from "../conformance/run.ts";
import { startExamined } from "../conformance/subjects/examined.ts";
import { istiod } from "../conformance/subjects/istiod.ts";
import { type KeelsonOptions, keelson } from "../conformance/subjects/keelson.ts";
import { peerTest } from "../peers/peer-test.ts";

const planOf = (chosen: readonly ConformanceCase[]): Planned[] =>
  chosen.flatMap((each) => each.variants.map((variant) => ({ each, variant })));

const none: Differences = new Map();
/** An answer that is known not to come is not worth much waiting. */
const shortPatienceMs = 3_000;

async function examineOwn(
  plan: readonly Planned[],
  patienceMs: number,
  options: KeelsonOptions = {},
): Promise<Outcome[]> {
  await using examined = await startExamined((config) => keelson(config, options), plan);
  return await run({ ...examined, plan, differences: none, patienceMs });
}

test("our own server passes every case", async () => {
  const outcomes = await examineOwn(planOf(cases.filter(({ slow }) => slow !== true)), 30_000);
  const others = outcomes.filter(({ state }) => state !== "passed");
  expect(others, textReport(others)).toEqual([]);
});

describe.concurrent("a fault is found:", () => {
  test.each(faults)("$name", async (fault) => {
    const chosen = cases.filter(({ name }) => fault.caughtBy.includes(name));
    const outcomes = await examineOwn(planOf(chosen), shortPatienceMs, seeded(fault));
    const failed = outcomes.filter(({ state }) => state === "failed").map(({ name }) => name);
    expect([...new Set(failed)].sort(), textReport(outcomes)).toEqual([...fault.caughtBy].sort());
  });
});

peerTest(
  ["etcd", "kube-apiserver", "kubectl", "istiod"],
  "istiod differs where the list says so",
  async () => {
    const differences = await readDifferences(istiodDifferences);
    const plan = planOf(cases).filter(({ each, variant }) =>
      differences.has(differenceKey(each.name, variant)),
    );
    await using examined = await startExamined(istiod, plan);
    const outcomes = await run({ ...examined, plan, differences, patienceMs: shortPatienceMs });
    const others = outcomes.filter(({ state }) => state !== "differs");
    expect(others, textReport(others)).toEqual([]);
  },
);
