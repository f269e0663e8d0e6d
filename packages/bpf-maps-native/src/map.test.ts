import { expect } from "vitest";
import { BpfMap } from "./bpf-map.ts";
import { possibleCpus, unpin } from "./kernel.ts";
import { kernelTest } from "./testing/kernel-test.ts";
import { makePinFolder } from "./testing/places.ts";
import { loadProgram, numbers, u32, u64 } from "./testing/programs.ts";

function hash(maxEntries = 8): BpfMap {
  return BpfMap.create({ type: "hash", name: "numbers", keySize: 4, valueSize: 8, maxEntries });
}

kernelTest(
  "operation: create a map (BpfMap.create, BpfMap.openById) - the kernel confirms its shape, and finds it by id",
  () => {
    using map = BpfMap.create({
      type: "hash",
      name: "lazy",
      keySize: 4,
      valueSize: 8,
      maxEntries: 8,
      flags: 1,
    });
    expect(map.info).toMatchObject({
      name: "lazy",
      type: "hash",
      keySize: 4,
      valueSize: 8,
      maxEntries: 8,
      flags: 1,
    });
    using again = BpfMap.openById(map.info.id);
    again.update(u32(1), u64(5n));
    expect(map.lookup(u32(1))).toEqual(u64(5n));
    expect(() =>
      BpfMap.create({ type: "array", name: "none", keySize: 4, valueSize: 8, maxEntries: 0 }),
    ).toThrow("create map none: EINVAL (22)");
  },
);

kernelTest("operation: get (BpfMap.lookup) - a value or undefined", () => {
  using map = hash();
  expect(map.lookup(u32(1))).toBeUndefined();
  map.update(u32(1), u64(7n));
  expect(map.lookup(u32(1))).toEqual(u64(7n));
});

kernelTest("operation: set (BpfMap.update) - always, only new, only existing", () => {
  using map = hash(2);
  map.update(u32(1), u64(7n), "create");
  expect(() => {
    map.update(u32(1), u64(8n), "create");
  }).toThrow("update map numbers: EEXIST (17)");
  expect(() => {
    map.update(u32(2), u64(8n), "replace");
  }).toThrow("update map numbers: ENOENT (2)");
  map.update(u32(1), u64(9n), "replace");
  expect(map.lookup(u32(1))).toEqual(u64(9n));
  map.update(u32(2), u64(9n));
  expect(() => {
    map.update(u32(3), u64(9n));
  }).toThrow("update map numbers: E2BIG (7)");
});

kernelTest(
  "operation: delete (BpfMap.delete, BpfMap.lookupAndDelete) - tells whether the key was there",
  () => {
    using map = hash();
    map.update(u32(1), u64(7n));
    expect([map.delete(u32(1)), map.delete(u32(1))]).toEqual([true, false]);
    map.update(u32(2), u64(8n));
    expect(map.lookupAndDelete(u32(2))).toEqual(u64(8n));
    expect(map.lookup(u32(2))).toBeUndefined();
  },
);

kernelTest("sizes are checked against the kernel's, and closed maps refuse", () => {
  const map = hash();
  expect(() => map.lookup(new Uint8Array(5))).toThrow(
    "lookup map numbers: EINVAL (22): key has 5 bytes, must have 4",
  );
  expect(() => {
    map.update(u32(1), new Uint8Array(9));
  }).toThrow("value has 9 bytes, must have 8");
  map.close();
  map.close();
  expect(() => map.lookup(u32(1))).toThrow(new TypeError("map numbers is closed"));
  expect(() => map.fd).toThrow(TypeError);
});

kernelTest(
  "operation: per-CPU values (BpfMap.lookupPerCpu, BpfMap.updatePerCpu) - one per possible CPU, and the program counts on its own",
  async () => {
    using object = await loadProgram("basic");
    using counters = object.map("counters");
    const cpus = possibleCpus();
    counters.updatePerCpu(
      u32(0),
      Array.from({ length: cpus }, (_, cpu) => u32(cpu * 100)),
    );
    using count = object.program("count");
    await count.testRun({ data: new Uint8Array(64), repeat: 5 });
    const found = counters.lookupPerCpu(u32(0))?.flatMap(numbers) ?? [];
    expect(found).toHaveLength(cpus);
    expect(found.map((value) => value - (value % 100))).toEqual(found.map((_, cpu) => cpu * 100));
    expect(found.reduce((sum, value) => sum + (value % 100), 0)).toBe(5);
    expect(() => {
      counters.updatePerCpu(u32(0), [u32(1)].concat(Array.from({ length: cpus }, () => u32(1))));
    }).toThrow(`map counters takes ${String(cpus)} values of 4 bytes`);
  },
);

kernelTest(
  "operation: map-in-map (BpfMap.setInner, BpfMap.innerId, BpfMap.deleteReference, BpfMap.fd) - the program follows the inner map that was set",
  async () => {
    using object = await loadProgram("basic");
    using versions = object.map("versions");
    using inner = BpfMap.create({ type: "hash", name: "inner", keySize: 4, valueSize: 4, maxEntries: 16 });
    using count = object.program("count");
    const run = async () => (await count.testRun({ data: new Uint8Array(64) })).returnValue;
    expect([await run(), versions.innerId(u32(0))]).toEqual([0, undefined]);
    inner.update(u32(7), u32(77));
    await versions.setInner(u32(0), inner);
    expect([await run(), versions.innerId(u32(0))]).toEqual([77, inner.info.id]);
    expect([await versions.deleteReference(u32(0)), await run()]).toEqual([true, 0]);
    expect(() => {
      versions.update(u32(0), u32(inner.fd));
    }).toThrow("are set by setInner");
  },
);

kernelTest(
  "operation: prog array (BpfMap.setProgram, BpfMap.programId, BpfMap.deleteReference) - a tail call reaches the program that was set",
  async () => {
    using object = await loadProgram("basic");
    using stubs = object.map("stubs");
    using stub = object.program("tail_stub");
    using target = object.program("tail_target");
    const run = async () => (await stub.testRun({ data: new Uint8Array(64) })).returnValue;
    expect(await run()).toBe(7);
    await stubs.setProgram(u32(0), target);
    expect([await run(), stubs.programId(u32(0))]).toEqual([42, target.info.id]);
    expect([await stubs.deleteReference(u32(0)), await run()]).toEqual([true, 7]);
  },
);

kernelTest("operation: queue (BpfMap.push, BpfMap.peek, BpfMap.pop) - in order, full and empty", async () => {
  using object = await loadProgram("basic");
  using queue = object.map("waiting");
  expect([queue.pop(), queue.peek()]).toEqual([undefined, undefined]);
  queue.push(u32(1));
  queue.push(u32(2));
  expect(() => {
    queue.push(u32(3));
  }).toThrow("push map waiting: E2BIG (7)");
  expect([queue.peek(), queue.pop(), queue.pop(), queue.pop()].map(numbers)).toEqual([[1], [1], [2], []]);
});

kernelTest("operation: freeze (BpfMap.freeze) - user space may only read afterwards", () => {
  using map = hash();
  map.update(u32(1), u64(1n));
  map.freeze();
  expect(() => {
    map.update(u32(1), u64(2n));
  }).toThrow("update map numbers: EPERM (1)");
  expect(map.lookup(u32(1))).toEqual(u64(1n));
});

kernelTest(
  "operation: pin a map (BpfMap.pin, BpfMap.openPinned, unpin) - found again by path, and gone after unpin",
  () => {
    using folder = makePinFolder();
    const path = `${folder.path}/numbers`;
    {
      using map = hash();
      map.update(u32(1), u64(3n));
      map.pin(path);
      expect(() => {
        map.pin(path);
      }).toThrow(`pin map numbers at ${path}: EEXIST (17)`);
    }
    {
      using again = BpfMap.openPinned(path);
      expect(again.lookup(u32(1))).toEqual(u64(3n));
    }
    expect([unpin(path), unpin(path)]).toEqual([true, false]);
    expect(() => BpfMap.openPinned(path)).toThrow(`open pin ${path}: ENOENT (2)`);
    expect(() => unpin("/proc/self/comm")).toThrow("not on a bpffs");
  },
);
