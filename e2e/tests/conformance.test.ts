// Our own control plane passes every case of the conformance program, and faults in it are found. A real istiod is
// examined by `npm run e2e -- conformance --start istiod`.
import { describe, expect, test } from "vitest";
import type { ConformanceCase } from "../conformance/case.ts";
import { cases } from "../conformance/cases/index.ts";
import { faults } from "../conformance/faults/faults.ts";
import { seeded } from "../conformance/faults/seeded.ts";
import type { Outcome } from "../conformance/outcome.ts";
import { textReport } from "../conformance/report.ts";
import { type Planned, run } from "../conformance/run.ts";
import { startExamined } from "../conformance/subjects/examined.ts";
import { type KeelsonOptions, keelson } from "../conformance/subjects/keelson.ts";

const planOf = (chosen: readonly ConformanceCase[]): Planned[] =>
  chosen.flatMap((each) => each.variants.map((variant) => ({ each, variant })));

async function examineOwn(
  plan: readonly Planned[],
  patienceMs: number,
  options: KeelsonOptions = {},
): Promise<Outcome[]> {
  await using examined = await startExamined((config) => keelson(config, options), plan);
  return await run({ ...examined, plan, differences: new Map(), patienceMs });
}

test("our own server passes every case", async () => {
  const outcomes = await examineOwn(planOf(cases.filter(({ slow }) => slow !== true)), 30_000);
  const others = outcomes.filter(({ state }) => state !== "passed");
  expect(others, textReport(others)).toEqual([]);
});

describe.concurrent("a fault is found:", () => {
  test.each(faults)("$name", async (fault) => {
    const chosen = cases.filter(({ name }) => fault.caughtBy.includes(name));
    // An answer that does not come is not worth much waiting here.
    const outcomes = await examineOwn(planOf(chosen), 3_000, seeded(fault));
    const failed = outcomes.filter(({ state }) => state === "failed").map(({ name }) => name);
    expect([...new Set(failed)].sort(), textReport(outcomes)).toEqual([...fault.caughtBy].sort());
  });
});
