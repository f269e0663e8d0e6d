import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { LeavingCallers, mostAtOnce } from "./leaving-callers.ts";

test("callers are told of at once, those that come meanwhile together, no more at a time than a packet takes", async () => {
  const told: number[] = [];
  const left: bigint[] = [];
  const leaving = new LeavingCallers(
    async (callers) => {
      await sleep(1);
      told.push(callers.length);
    },
    (caller) => left.push(caller),
  );
  const callers = Array.from({ length: mostAtOnce + 11 }, (_, i) => BigInt(i));
  for (const caller of callers) leaving.add(caller);
  expect(callers.every((caller) => leaving.has(caller) && !left.includes(caller))).toBe(true);
  await leaving.settled();
  expect(told).toEqual([1, mostAtOnce, 10]);
  expect(left).toEqual(callers);
  expect(callers.some((caller) => leaving.has(caller))).toBe(false);
});

test("callers that programs could not be told of are not taken for left, and told of again", async () => {
  let refuses = true;
  const left: bigint[] = [];
  const leaving = new LeavingCallers(
    () => (refuses ? Promise.reject(new Error("no memory")) : Promise.resolve()),
    (caller) => left.push(caller),
  );
  leaving.add(1n);
  await leaving.settled();
  expect([leaving.has(1n), left]).toEqual([true, []]);
  refuses = false;
  await expect.poll(() => left).toEqual([1n]);
});
