import { setTimeout as wait } from "node:timers/promises";
import { expect } from "vitest";
import { BpfMap } from "./bpf-map.ts";
import { BpfObject } from "./bpf-object.ts";
import { kernelTest } from "./testing/kernel-test.ts";
import { compileProgram, numbers, u32 } from "./testing/programs.ts";

interface Gaps {
  /** How long the work took as a whole, in ms. */
  elapsed: number;
  /** The gaps of a timer of 1 ms meanwhile, in ms. */
  median: number;
  longest: number;
}

/** The gaps of a one-millisecond timer while `work` runs. */
async function gapsDuring(work: () => Promise<unknown>): Promise<Gaps> {
  const gaps: number[] = [];
  const start = performance.now();
  let last = start;
  const tick = () => {
    gaps.push(performance.now() - last);
    last = performance.now();
  };
  const timer = setInterval(tick, 1);
  await work();
  clearInterval(timer);
  tick();
  gaps.sort((a, b) => a - b);
  return { elapsed: last - start, median: gaps[gaps.length >> 1] ?? 0, longest: gaps.at(-1) ?? 0 };
}

/** What blocks the loop looks like this. */
async function blockLoop(milliseconds: number): Promise<void> {
  await wait(1);
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

/** Of the work's own time, the longest that the timer stood still longer than in an idle run. */
function standstill(busy: Gaps, idle: Gaps): number {
  return (busy.longest - idle.longest) / busy.elapsed;
}

/**
 * Compares the timer beside the work with the timer in an idle run of the same length, and checks on a blocked
 * loop that the comparison would tell. Other processes take the CPU as well, so the quietest of some rounds
 * counts, and all bounds are ratios.
 */
async function expectLoopFree(work: () => Promise<unknown>): Promise<void> {
  const rounds: { standstill: number; slowdown: number; blocked: number }[] = [];
  for (let round = 0; round < 5; round++) {
    const busy = await gapsDuring(work);
    const idle = await gapsDuring(() => wait(busy.elapsed));
    const blocked = await gapsDuring(() => blockLoop(busy.elapsed));
    rounds.push({
      standstill: standstill(busy, idle),
      slowdown: busy.median / idle.median,
      blocked: standstill(blocked, idle),
    });
  }
  expect(Math.min(...rounds.map((round) => round.standstill))).toBeLessThan(0.5);
  expect(Math.min(...rounds.map((round) => round.slowdown))).toBeLessThan(4);
  expect(Math.max(...rounds.map((round) => round.blocked))).toBeGreaterThan(0.5);
}

const blobBytes = 8 + 50 * 2 ** 20 + 8;

kernelTest(
  "operation: load off the event loop (BpfObject.open, BpfObject.load) - " +
    "a timer runs on beside opening and loading 50 MB, which arrive whole",
  async () => {
    const file = compileProgram("big");
    await expectLoopFree(async () => {
      using object = await BpfObject.open(file);
      await object.load();
    });
    using object = await BpfObject.open(file);
    await object.load();
    using data = object.map("big.data");
    expect(data.info.valueSize).toBe(blobBytes);
    const content = data.lookup(u32(0)) ?? new Uint8Array();
    expect([content[0], content[blobBytes - 8]]).toEqual([11, 99]);
    using touch = object.program("touch");
    expect((await touch.testRun({ data: new Uint8Array(64) })).returnValue).toBe(11);
  },
  120_000,
);

const elements = 50_000;
const elementBytes = 1024;

function makeMany(): BpfMap {
  return BpfMap.create({
    type: "hash",
    name: "many",
    keySize: 4,
    valueSize: elementBytes,
    maxEntries: elements,
  });
}

const keys = new Uint8Array(Uint32Array.from({ length: elements }, (_, i) => i).buffer);

kernelTest(
  "operation: batch off the event loop (BpfMap.batchUpdate, BpfMap.batchLookup, BpfMap.batchDelete) - " +
    "a timer runs on beside 50 MB that are written, read and deleted",
  async () => {
    using map = makeMany();
    const values = new Uint8Array(elements * elementBytes).fill(7);
    await expectLoopFree(async () => {
      await map.batchUpdate(keys, values);
      const found = await map.batchLookup();
      expect(found.count).toBe(elements);
      expect(await map.batchDelete(keys)).toBe(elements);
    });
    await map.batchUpdate(keys, values);
    const found = await map.batchLookup();
    expect(new Set(numbers(found.keys)).size).toBe(elements);
    expect(Buffer.compare(found.values, values)).toBe(0);
  },
  120_000,
);

kernelTest(
  "operation: iterate off the event loop (BpfMap.entries) - a timer runs on beside a walk over 50 MB",
  async () => {
    using map = makeMany();
    await map.batchUpdate(keys, new Uint8Array(elements * elementBytes).fill(7));
    await expectLoopFree(async () => {
      let bytes = 0;
      for await (const { value } of map.entries()) bytes += value.byteLength;
      expect(bytes).toBe(elements * elementBytes);
    });
  },
  120_000,
);
