import { expect, test } from "vitest";
import { WriteBudget } from "./write-budget.ts";

const waits = (budget: WriteBudget, ...times: readonly number[]): number[] =>
  times.map((now) => budget.next(now));

test("a burst goes at once, what follows at the rate", () => {
  const budget = new WriteBudget({ perSecond: 10, burst: 2 }, 0);
  expect(waits(budget, 0, 0, 0, 0)).toEqual([0, 0, 100, 200]);
});

test("a pause fills it up, and not beyond the burst", () => {
  const budget = new WriteBudget({ perSecond: 10, burst: 2 }, 0);
  expect(waits(budget, 0, 0, 100, 3_600_000, 3_600_000, 3_600_000)).toEqual([0, 0, 0, 0, 0, 100]);
});

test("who is told to stop does not wait", async () => {
  const budget = new WriteBudget({ perSecond: 0.001, burst: 0 });
  await budget.take(AbortSignal.abort());
});
