import { setImmediate } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import type { BpfObject } from "./bpf-object.ts";
import { BpfProgram } from "./bpf-program.ts";
import { RingBuffer } from "./ring-buffer.ts";
import { kernelTest } from "./testing/kernel-test.ts";
import { startNode } from "./testing/processes.ts";
import { compileProgram, loadProgram, u32 } from "./testing/programs.ts";

async function emit(object: BpfObject, first: number, records: number): Promise<number> {
  using program = object.program("emit");
  return (await program.testRun({ context: u32(records, first) })).returnValue;
}

function record(bytes: Uint8Array): number {
  return Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
}

/** Gathers records; `all` resolves when there are enough. */
function collector(enough: number) {
  const { promise, resolve } = Promise.withResolvers<void>();
  const records: number[] = [];
  const take = (bytes: Uint8Array) => {
    records.push(record(bytes));
    if (records.length === enough) resolve();
  };
  return { records, take, all: promise };
}

kernelTest(
  "operation: ring buffer (RingBuffer) - thousands of records in order, on the event loop",
  async () => {
    await using stack = new AsyncDisposableStack();
    const object = stack.use(await loadProgram("basic"));
    const { records, take, all } = collector(20_000);
    stack.use(new RingBuffer(object.map("events"), take));
    for (let first = 0; first < 20_000; first += 1000) expect(await emit(object, first, 1000)).toBe(1000);
    await all;
    expect(records).toEqual(Array.from({ length: 20_000 }, (_, i) => i));
  },
);

kernelTest(
  "what was written before the reader came is read; a turn of the loop takes only a part",
  async () => {
    await using stack = new AsyncDisposableStack();
    const object = stack.use(await loadProgram("basic"));
    for (let first = 0; first < 5000; first += 1000) await emit(object, first, 1000);
    const { records, take, all } = collector(5000);
    stack.use(new RingBuffer(object.map("events"), take));
    const turns = new Set<number>();
    for (let done = false; !done; ) {
      done = await Promise.race([all.then(() => true), setImmediate(false)]);
      turns.add(records.length);
    }
    expect(records).toHaveLength(5000);
    expect([...turns].some((length) => length > 0 && length < 5000)).toBe(true);
  },
);

kernelTest(
  "operation: close a ring buffer (RingBuffer.close) - it gets nothing more, the next one goes on",
  async () => {
    await using stack = new AsyncDisposableStack();
    const object = stack.use(await loadProgram("basic"));
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
    for (let turn = 0; turn < 10; turn++) await setImmediate();
    expect(seen).toEqual([0, 1, 2]);
    const { records, take, all } = collector(1);
    stack.use(new RingBuffer(events, take));
    events.close(); // the reader holds the buffer by itself
    await emit(object, 20, 1);
    await all;
    expect(records[0]).toBeGreaterThanOrEqual(3);
    expect(() => ring.unref()).toThrow("ring buffer events is closed");
  },
);

kernelTest("a full buffer loses records in the kernel, and another kind of map is refused", async () => {
  using object = await loadProgram("basic");
  let stored = 0;
  for (let i = 0; i < 100; i++) stored += await emit(object, 0, 1000);
  expect(stored).toBe(2 ** 20 / 16 - 1); // 8 bytes of header each; the buffer is never filled to its last byte
  expect(() => new RingBuffer(object.map("services"), () => undefined)).toThrow(
    /open ring buffer map services: EINVAL \(22\)/,
  );
});

const readerFile = fileURLToPath(new URL("testing/ring-reader.ts", import.meta.url));

/** Starts ring-reader.ts; `emit` runs its program, which writes the records 5 and 6. */
async function startReader(stack: AsyncDisposableStack, mode: string) {
  const reader = stack.use(startNode(readerFile, compileProgram("basic"), mode));
  const id = Number(await reader.readLine());
  const emitTwo = async () => {
    using program = BpfProgram.openById(id);
    await program.testRun({ context: u32(2, 5) });
  };
  return { reader, emitTwo };
}

kernelTest(
  "operation: keep the process alive (RingBuffer.ref, RingBuffer.unref) - a reader does, until unref",
  async () => {
    await using stack = new AsyncDisposableStack();
    const { reader, emitTwo } = await startReader(stack, "ref");
    const { reader: unreferenced } = await startReader(stack, "unref");
    expect(await unreferenced.readLine()).toBeUndefined();
    expect(await unreferenced.end()).toBe(0);
    // The first one is there still, with nothing but the ring buffer to wait for.
    await emitTwo();
    expect([await reader.readLine(), await reader.readLine()]).toEqual(["record 5", "record 6"]);
    expect(await reader.end()).toBe(0);
  },
);

kernelTest("what a callback throws is an uncaught exception, and the records after it come", async () => {
  await using stack = new AsyncDisposableStack();
  const { reader, emitTwo } = await startReader(stack, "throw");
  await emitTwo();
  const lines = [];
  for (let line = await reader.readLine(); line !== undefined; line = await reader.readLine())
    lines.push(line);
  expect(lines).toEqual(["record 5", "record 6", "thrown for record 5", "thrown for record 6"]);
  expect(await reader.end()).toBe(0);
});
