import { readdirSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect } from "vitest";
import { BpfMap } from "./bpf-map.ts";
import { RingBuffer } from "./ring-buffer.ts";
import { kernelTest } from "./testing/kernel-test.ts";
import { compileProgram, openProgram, u32 } from "./testing/programs.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

function descriptors(): number {
  return readdirSync("/proc/self/fd").length;
}

/** Open descriptors after libuv's part is done, but without any garbage collected. */
async function openDescriptors(): Promise<number> {
  await setImmediate();
  await setImmediate();
  return descriptors();
}

/** Resident bytes once garbage is gone. */
async function resident(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    collectGarbage();
    await setImmediate(); // finalizers run in a turn of the loop
  }
  return process.memoryUsage.rss();
}

/** One life of everything that owns something; the id of a map that must not outlive it. */
async function life(): Promise<number> {
  using object = await openProgram("basic");
  await object.load();
  using services = object.map("services");
  using program = object.program("count");
  using events = object.map("events");
  using _ring = new RingBuffer(events, () => undefined);
  await program.testRun({ data: new Uint8Array(64) });
  await services.batchLookup();
  return services.info.id;
}

kernelTest(
  "opening, loading and closing 200 times leaves no descriptor, no map and no memory",
  async () => {
    compileProgram("basic");
    for (let i = 0; i < 50; i++) await life();
    collectGarbage();
    const before = { descriptors: await openDescriptors(), memory: await resident() };
    let id = 0;
    for (let i = 0; i < 200; i++) id = await life();
    expect(await openDescriptors()).toBe(before.descriptors);
    expect((await resident()) - before.memory).toBeLessThan(8 * 2 ** 20);
    // Programs and maps are freed by the kernel in its own time, after RCU.
    await expect.poll(() => openable(id), { timeout: 10_000 }).toBe(false);
  },
  120_000,
);

function openable(id: number): boolean {
  try {
    BpfMap.openById(id).close();
    return true;
  } catch {
    return false;
  }
}

kernelTest("failing opens and loads leave no descriptor", async () => {
  const once = async () => {
    using object = await openProgram("broken");
    await expect(object.load()).rejects.toThrow("EACCES");
  };
  await once();
  const before = descriptors();
  for (let i = 0; i < 20; i++) await once();
  expect(descriptors()).toBe(before);
});

kernelTest("a handle that was forgotten is given up by the garbage collector", async () => {
  const before = descriptors();
  for (let i = 0; i < 20; i++) {
    BpfMap.create({ type: "array", name: "forgotten", keySize: 4, valueSize: 4, maxEntries: 1 }).lookup(
      u32(0),
    );
  }
  await resident();
  expect(descriptors()).toBeLessThan(before + 20);
});
