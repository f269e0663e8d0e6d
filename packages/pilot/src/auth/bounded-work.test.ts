import { expect, test } from "vitest";
import { BoundedWork } from "./bounded-work.ts";

test("so much at once, the rest in its order, and what is too much not at all", async () => {
  const work = new BoundedWork(2, 2);
  const begun: number[] = [];
  const ends = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
  const runs = ends.map(({ promise }, i) =>
    work.run(() => {
      begun.push(i);
      return promise;
    }),
  );
  await expect(work.run(() => Promise.resolve())).rejects.toThrow("2 others wait already");
  expect(begun).toEqual([0, 1]);
  ends[1]?.reject(new Error("failed"));
  await expect(runs[1]).rejects.toThrow("failed");
  expect(begun).toEqual([0, 1, 2]);
  for (const { resolve } of ends) resolve();
  await Promise.all([runs[0], runs[2], runs[3]]);
  expect(begun).toEqual([0, 1, 2, 3]);
  await work.run(() => Promise.resolve(begun.push(4)));
  expect(begun).toHaveLength(5);
});
