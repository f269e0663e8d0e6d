import { setTimeout as wait } from "node:timers/promises";
import { expect } from "vitest";
import { BpfMap } from "./bpf-map.ts";
import { BpfObject } from "./bpf-object.ts";
import { kernelTest } from "./testing/kernel-test.ts";
import { compileProgram, numbers, u32 } from "./testing/programs.ts";

interface Gaps {
  /** Milliseconds that the work took as a whole. */
  elapsed: number;
  median: number;
  longest: number;
}

/** The gaps of a one-millisecond timer while `work` runs. */
async function gapsDuring(work: Promise<unknown>): Promise<Gaps> {
  const start = performance.now();
  const gaps: number[] = [];
  let last = start;
  const timer = setInterval(() => {
    gaps.push(performance.now() - last);
    last = performance.now();
  }, 1);
  await work;
  clearInterval(timer);
  const end = performance.now();
  gaps.push(end - last);
  gaps.sort((a, b) => a - b);
  return {
    elapsed: end - start,
    median: gaps[gaps.length >> 1] ?? 0,
    longest: gaps.at(-1) ?? 0,
  };
}

/**
 * Work on the loop would make one gap as long as itself. The quietest of five rounds counts, as other
 * processes take the CPU, too; bounds are ratios to the work's own length and to an idle run's gaps.
 */
async function expectOffLoop(work: () => Promise<unknown>): Promise<void> {
  const rounds: { share: number; ratio: number }[] = [];
  for (let round = 0; round < 5; round++) {
    const busy = await gapsDuring(work());
    const idle = await gapsDuring(wait(busy.elapsed));
    rounds.push({ share: busy.longest / busy.elapsed, ratio: busy.median / idle.median });
  }
  expect(Math.min(...rounds.map(({ share }) => share))).toBeLessThan(0.5);
  expect(Math.min(...rounds.map(({ ratio }) => ratio))).toBeLessThan(4);
}

const blobBytes = 8 + 50 * 2 ** 20 + 8;

kernelTest(
  "operation: load off the event loop - a timer runs on beside opening and loading 50 MB, which arrive whole",
  async () => {
    const file = compileProgram("big");
    await expectOffLoop(async () => {
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

kernelTest(
  "operation: batch and iterate off the event loop - a timer runs on beside 50 MB of elements",
  async () => {
    const count = 50_000;
    using map = BpfMap.create({
      type: "hash",
      name: "many",
      keySize: 4,
      valueSize: 1024,
      maxEntries: count,
    });
    const keys = new Uint8Array(Uint32Array.from({ length: count }, (_, i) => i).buffer);
    const values = new Uint8Array(count * 1024).fill(7);
    await expectOffLoop(async () => {
      await map.batchUpdate(keys, values);
      await map.batchLookup();
    });
    const { count: found, keys: foundKeys, values: foundValues } = await map.batchLookup();
    expect(found).toBe(count);
    expect(new Set(numbers(foundKeys)).size).toBe(count);
    expect(foundValues.every((byte) => byte === 7)).toBe(true);
  },
  120_000,
);
