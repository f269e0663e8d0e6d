import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { StreamRate } from "./stream-rate.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("streams take turns, and those that would wait too long have none", () => {
  const rate = new StreamRate(4, 500);
  expect([rate.turn(), rate.turn(), rate.turn(), rate.turn()]).toEqual([0, 250, 500, undefined]);
  vi.advanceTimersByTime(250);
  expect([rate.turn(), rate.turn()]).toEqual([500, undefined]);
  vi.advanceTimersByTime(10_000);
  // No turns are saved up.
  expect([rate.turn(), rate.turn()]).toEqual([0, 250]);
});

test("without a limit everybody's turn is now", () => {
  const rate = new StreamRate(Number.POSITIVE_INFINITY, 0);
  expect([rate.turn(), rate.turn(), rate.turn()]).toEqual([0, 0, 0]);
});
