import assert from "node:assert/strict";
import { chiSquare } from "../world/statistics.ts";
import type { Tally } from "../world/tally.ts";

/** @throws AssertionError if what was seen can hardly come from these shares, or holds something else. */
export function assertShares(seen: Tally, shares: Readonly<Record<string, number>>): void {
  const { statistic, bound } = chiSquare(seen, shares);
  const text = `${JSON.stringify(seen)} for shares of ${JSON.stringify(shares)}`;
  assert.ok(statistic <= bound, `${text}: chi-square ${statistic.toFixed(1)}, at most ${bound} expected`);
}
