import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { gatherMs, LateRemoval, type Shrinking } from "./late-removal.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Says what it was asked to delete. */
class PlayedMap implements Shrinking {
  readonly deleted: number[][] = [];
  refuses = false;

  batchDelete(keys: Uint8Array): Promise<number> {
    if (this.refuses) return Promise.reject(new Error("no memory"));
    this.deleted.push([...keys]);
    return Promise.resolve(keys.length);
  }
}

/** Grace periods that a test lets pass. */
class PlayedPeriods {
  readonly open: (() => void)[] = [];
  readonly pass = (): Promise<void> => new Promise((resolve) => this.open.push(resolve));

  async end(): Promise<void> {
    for (const resolve of this.open.splice(0)) resolve();
    await vi.advanceTimersByTimeAsync(0);
  }
}

const key = (one: number): Uint8Array => new Uint8Array([one]);

/** Entry 1 is being removed, and 2 waits. */
async function oneUnderWay() {
  const periods = new PlayedPeriods();
  const removal = new LateRemoval(periods.pass);
  const map = new PlayedMap();
  removal.add(map, key(1));
  await vi.advanceTimersByTimeAsync(gatherMs);
  removal.add(map, key(2));
  return { periods, removal, map };
}

test("entries of a while are removed together, map by map, behind one grace period", async () => {
  const periods = new PlayedPeriods();
  const removal = new LateRemoval(periods.pass);
  const [first, second] = [new PlayedMap(), new PlayedMap()];
  const removed: number[] = [];
  removal.add(first, key(1), () => removed.push(1));
  await vi.advanceTimersByTimeAsync(gatherMs - 1);
  removal.add(second, key(2));
  removal.add(first, key(3), () => removed.push(3));
  expect(periods.open).toHaveLength(0);
  await vi.advanceTimersByTimeAsync(1);
  expect(periods.open).toHaveLength(1);
  expect([first.deleted, second.deleted, removed]).toEqual([[], [], []]);
  await periods.end();
  expect([first.deleted, second.deleted, removed]).toEqual([[[1, 3]], [[2]], [1, 3]]);
});

test("what is somebody's again is not removed, unless it is being removed", async () => {
  const periods = new PlayedPeriods();
  const removal = new LateRemoval(periods.pass);
  const map = new PlayedMap();
  for (const one of [1, 2]) removal.add(map, key(one));
  expect(removal.keep(map, key(3))).toBe(false);
  expect(removal.keep(map, key(1))).toBe(true);
  await vi.advanceTimersByTimeAsync(gatherMs);
  expect(removal.keep(map, key(2))).toBe(false);
  const settled = removal.settled();
  await periods.end();
  await settled;
  expect(map.deleted).toEqual([[2]]);
});

test("what comes within a grace period waits for the next one, as programs may have it in hand", async () => {
  const { periods, map } = await oneUnderWay();
  await vi.advanceTimersByTimeAsync(10 * gatherMs);
  expect(periods.open).toHaveLength(1);
  await periods.end();
  expect(map.deleted).toEqual([[1]]);
  await vi.advanceTimersByTimeAsync(gatherMs);
  await periods.end();
  expect(map.deleted).toEqual([[1], [2]]);
});

test("at 5,000 connections per second no more than those of two times wait", async () => {
  const removal = new LateRemoval(() => new Promise((resolve) => setTimeout(resolve, 100)));
  const map = new PlayedMap();
  let most = 0;
  let added = 0;
  for (let ms = 0; ms < 5_000; ms++) {
    for (let i = 0; i < 5; i++, added++) removal.add(map, key(0));
    await vi.advanceTimersByTimeAsync(1);
    most = Math.max(most, added - map.deleted.flat().length);
  }
  expect(most).toBeLessThanOrEqual(5 * (gatherMs + 2 * 100) + 5);
  expect(map.deleted.length).toBeGreaterThan(5);
});

test("what the kernel refuses is tried again, and nothing of it before a grace period", async () => {
  const periods = new PlayedPeriods();
  const removal = new LateRemoval(periods.pass);
  const map = new PlayedMap();
  map.refuses = true;
  removal.add(map, key(1));
  await vi.advanceTimersByTimeAsync(gatherMs);
  await periods.end();
  map.refuses = false;
  removal.add(map, key(2));
  await vi.advanceTimersByTimeAsync(gatherMs);
  expect(map.deleted).toEqual([]);
  await periods.end();
  expect(map.deleted).toEqual([[1, 2]]);
});

test("all that waits is removed when it is asked for, what is being removed first", async () => {
  const { periods, removal, map } = await oneUnderWay();
  const flushed = removal.flush();
  await periods.end();
  await periods.end();
  await flushed;
  expect(map.deleted).toEqual([[1], [2]]);
});

test("the end waits for what is being removed, and leaves the rest", async () => {
  const { periods, removal, map } = await oneUnderWay();
  const closed = removal.close().then(() => map.deleted.length);
  removal.add(map, key(3));
  await periods.end();
  expect(await closed).toBe(1);
  await vi.advanceTimersByTimeAsync(10 * gatherMs);
  expect(periods.open).toHaveLength(0);
  expect(map.deleted).toEqual([[1]]);
});
