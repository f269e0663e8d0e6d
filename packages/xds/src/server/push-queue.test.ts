import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { PushQueue } from "./push-queue.ts";

const unhurried = { ms: Number.POSITIVE_INFINITY, items: 2 };

test("the first slice runs at once, and others when the event loop has turned", async () => {
  const done: string[] = [];
  const queue = new PushQueue<string>((item) => done.push(item), unhurried);
  queue.add(["a", "b", "c", "d", "e"]);
  expect(done).toEqual(["a", "b"]);
  await nextTurn();
  expect(done).toEqual(["a", "b", "c", "d"]);
  await nextTurn();
  expect(done).toEqual(["a", "b", "c", "d", "e"]);
});

test("who waits keep their place, and are served once", async () => {
  const done: string[] = [];
  const queue = new PushQueue<string>((item) => done.push(item), unhurried);
  queue.add(["a", "b", "c", "d"]);
  queue.add(["a", "d", "c"]);
  expect(done).toEqual(["a", "b"]);
  for (let turns = 0; turns < 4; turns += 1) await nextTurn();
  expect(done).toEqual(["a", "b", "c", "d", "a"]);
});

test("who is removed is not served, and nobody is when all are", async () => {
  const done: string[] = [];
  const queue = new PushQueue<string>((item) => done.push(item), unhurried);
  queue.add(["a", "b", "c", "d", "e"]);
  queue.remove("c");
  await nextTurn();
  expect(done).toEqual(["a", "b", "d", "e"]);
  queue.add(["f", "g", "h"]);
  queue.clear();
  for (let turns = 0; turns < 4; turns += 1) await nextTurn();
  expect(done).toEqual(["a", "b", "d", "e", "f", "g"]);
});

describe("by time", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test("a slice ends after so many ms, give or take a few items", () => {
    const done: number[] = [];
    const queue = new PushQueue<number>(
      (item) => {
        done.push(item);
        vi.advanceTimersByTime(1);
      },
      { ms: 10, items: 100 },
    );
    const items = Array.from({ length: 40 }, (_, index) => index);
    queue.add(items);
    expect(done.length).toBeGreaterThanOrEqual(10);
    expect(done.length).toBeLessThan(20);
    vi.runAllTimers();
    expect(done).toEqual(items);
  });
});
