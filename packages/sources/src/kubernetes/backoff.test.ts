import { expect, test } from "vitest";
import { Backoff } from "./backoff.ts";

test("the ceiling doubles up to a bound, and begins anew when something worked", () => {
  const backoff = new Backoff({ firstMs: 100, mostMs: 1000, random: () => 1 });
  const waits = Array.from({ length: 6 }, () => backoff.next());
  expect(waits).toEqual([100, 200, 400, 800, 1000, 1000]);
  backoff.reset();
  expect(backoff.next()).toBe(100);
});

test("after very many failures it is still the bound", () => {
  const backoff = new Backoff({ firstMs: 100, mostMs: 1000, random: () => 0.5 });
  for (let i = 0; i < 5_000; i++) backoff.next();
  expect(backoff.next()).toBe(500);
});
