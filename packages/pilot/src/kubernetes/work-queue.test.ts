import { expect, onTestFinished, test } from "vitest";
import { type WorkOutcome, WorkQueue } from "./work-queue.ts";

/** Runs a queue whose work has these outcomes, in their order, and then succeeds. */
function working(queue: WorkQueue, ...outcomes: WorkOutcome[]): string[] {
  const done: string[] = [];
  const stop = new AbortController();
  const running = queue.run(async (key) => {
    done.push(key);
    return outcomes.shift() ?? "done";
  }, stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await running;
  });
  return done;
}

const timing = { backoffMs: 1, maximumBackoffMs: 2, refusedMs: 1 };

test("keys are worked on in the order in which they came, once each", async () => {
  const queue = new WorkQueue(timing);
  for (const key of ["a", "b", "a"]) queue.add(key);
  const done = working(queue);
  await expect.poll(() => done).toEqual(["a", "b"]);
  queue.add("a");
  await expect.poll(() => done).toEqual(["a", "b", "a"]);
});

test("what failed is tried again, behind the others", async () => {
  const queue = new WorkQueue(timing);
  queue.add("a");
  queue.add("b");
  const done = working(queue, "again");
  await expect.poll(() => done).toEqual(["a", "b", "a"]);
});

test("after a refusal everything waits", async () => {
  const queue = new WorkQueue({ ...timing, refusedMs: 3_600_000 });
  queue.add("a");
  const done = working(queue, "refused");
  await expect.poll(() => done).toEqual(["a"]);
  queue.add("b");
  await new Promise(setImmediate);
  expect(done).toEqual(["a"]);
});
