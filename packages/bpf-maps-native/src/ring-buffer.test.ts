import { setImmediate } from "node:timers/promises";
import { expect } from "vitest";
import type { BpfObject } from "./bpf-object.ts";
import { RingBuffer } from "./ring-buffer.ts";
import { kernelTest } from "./testing/kernel-test.ts";
import { loadProgram, u32 } from "./testing/programs.ts";

async function emit(object: BpfObject, first: number, records: number): Promise<number> {
  using program = object.program("emit");
  return (await program.testRun({ context: u32(records, first) })).returnValue;
}

function record(bytes: Uint8Array): number {
  return Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
}

/** Calls back until told enough; resolves then. */
function collector(enough: number) {
  const { promise, resolve } = Promise.withResolvers<void>();
  const records: number[] = [];
  const take = (bytes: Uint8Array) => {
    records.push(record(bytes));
    if (records.length === enough) resolve();
  };
  return { records, take, all: promise };
}

kernelTest("operation: ring buffer - thousands of records in order, on the event loop", async () => {
  using object = await loadProgram("basic");
  using events = object.map("events");
  const { records, take, all } = collector(20_000);
  using _ring = new RingBuffer(events, take);
  for (let first = 0; first < 20_000; first += 1000) expect(await emit(object, first, 1000)).toBe(1000);
  await all;
  expect(records).toEqual(Array.from({ length: 20_000 }, (_, i) => i));
});

kernelTest(
  "what was written before the reader came is read; one turn of the loop takes only a part",
  async () => {
    using object = await loadProgram("basic");
    using events = object.map("events");
    for (let first = 0; first < 5000; first += 1000) await emit(object, first, 1000);
    const { records, take, all } = collector(5000);
    using _ring = new RingBuffer(events, take);
    const turns = new Set<number>();
    for (let done = false; !done; ) {
      done = await Promise.race([all.then(() => true), setImmediate(false)]);
      turns.add(records.length);
    }
    expect(records).toHaveLength(5000);
    expect([...turns].some((length) => length > 0 && length < 5000)).toBe(true);
  },
);

kernelTest("a closed reader gets nothing more, the next one goes on where it stopped", async () => {
  using object = await loadProgram("basic");
  const events = object.map("events");
  const seen: number[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const ring = new RingBuffer(events, (bytes) => {
    seen.push(record(bytes));
    if (seen.length === 3) {
      ring.close();
      resolve();
    }
  });
  await emit(object, 0, 10);
  await promise;
  ring.close();
  await emit(object, 10, 10);
  await setImmediate();
  await setImmediate();
  expect(seen).toEqual([0, 1, 2]);
  const { records, take, all } = collector(1);
  using _next = new RingBuffer(events, take);
  events.close(); // the reader holds the buffer by itself
  await emit(object, 20, 1);
  await all;
  expect(records[0]).toBeGreaterThanOrEqual(3);
  expect(() => ring.unref()).toThrow("ring buffer events is closed");
});

kernelTest("a full buffer loses records in the kernel, and another kind of map is refused", async () => {
  using object = await loadProgram("basic");
  let stored = 0;
  for (let i = 0; i < 100; i++) stored += await emit(object, 0, 1000);
  expect(stored).toBe(2 ** 20 / 16 - 1); // 8 bytes of header each; the buffer is never filled to its last byte
  expect(() => new RingBuffer(object.map("services"), () => undefined)).toThrow(
    /open ring buffer map services: EINVAL \(22\)/,
  );
});
