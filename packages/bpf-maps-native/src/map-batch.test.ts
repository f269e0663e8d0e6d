import { expect } from "vitest";
import { BpfMap } from "./bpf-map.ts";
import { possibleCpus } from "./kernel.ts";
import { kernelTest } from "./testing/kernel-test.ts";
import { collect, numbers, u32 } from "./testing/programs.ts";
import type { MapType } from "./type-names.ts";

const many = 9000;

function range(count: number, first = 0): number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}

function makeMap(type: MapType, maxEntries = many, flags = 0): BpfMap {
  return BpfMap.create({ type, name: "many", keySize: 4, valueSize: 4, maxEntries, flags });
}

function sorted(bytes: Uint8Array): number[] {
  return numbers(bytes).toSorted((a, b) => a - b);
}

kernelTest("operation: batch update (BpfMap.batchUpdate) - every element arrives", async () => {
  using map = makeMap("hash");
  await map.batchUpdate(u32(...range(many)), u32(...range(many, 5)));
  expect(range(many).every((key) => numbers(map.lookup(u32(key)))[0] === key + 5)).toBe(true);
});

kernelTest("a batch larger than a chunk is written whole, and one that overflows says where", async () => {
  using map = BpfMap.create({ type: "hash", name: "wide", keySize: 4, valueSize: 1024, maxEntries: 3000 });
  const values = new Uint8Array(3000 * 1024).map((_, i) => i / 1024);
  await map.batchUpdate(u32(...range(3000)), values);
  expect(map.lookup(u32(2999))).toEqual(values.subarray(2999 * 1024));
  using short = BpfMap.create({ type: "hash", name: "short", keySize: 4, valueSize: 1024, maxEntries: 2500 });
  await expect(short.batchUpdate(u32(...range(3000)), values)).rejects.toThrow(
    "batch update map short: E2BIG (7): element 2500 of 3000",
  );
  using small = makeMap("hash", 10);
  await expect(small.batchUpdate(u32(...range(20)), u32(...range(20)))).rejects.toThrow(
    "batch update map many: E2BIG (7): element 10 of 20",
  );
  await expect(small.batchUpdate(u32(1, 2), u32(1))).rejects.toThrow(RangeError);
});

kernelTest(
  "operation: batch lookup (BpfMap.batchLookup) - the whole of a hash, an array and a trie",
  async () => {
    for (const type of ["hash", "lru_hash", "array"] as const) {
      using map = makeMap(type, type === "lru_hash" ? many * 4 : many);
      await map.batchUpdate(u32(...range(many)), u32(...range(many, 1)));
      const all = await map.batchLookup();
      const expected = type === "lru_hash" ? all.count : many;
      expect(all.count).toBe(expected);
      if (type !== "lru_hash") expect(sorted(all.keys)).toEqual(range(many));
      expect(numbers(all.values)).toEqual(numbers(all.keys).map((key) => key + 1));
    }
    using trie = BpfMap.create({
      type: "lpm_trie",
      name: "trie",
      keySize: 8,
      valueSize: 4,
      maxEntries: many,
      flags: 1,
    });
    await trie.batchUpdate(u32(...range(many).flatMap((ip) => [32, ip])), u32(...range(many)));
    expect(sorted((await trie.batchLookup()).values)).toEqual(range(many));
  },
);

kernelTest(
  "operation: batch delete (BpfMap.batchDelete) - counts what was there, passes over what was not",
  async () => {
    using map = makeMap("hash");
    await map.batchUpdate(u32(...range(100)), u32(...range(100)));
    expect(await map.batchDelete(u32(500, ...range(50), 501, 99, 502))).toBe(51);
    expect(sorted((await map.batchLookup()).keys)).toEqual(range(49, 50));
  },
);

kernelTest(
  "operation: iterate (BpfMap.entries, BpfMap.keys) - each element once, and keys alone",
  async () => {
    using map = makeMap("hash");
    await map.batchUpdate(u32(...range(many)), u32(...range(many, 3)));
    const seen = new Map<number, number>();
    for await (const { key, value } of map.entries())
      seen.set(numbers(key)[0] ?? -1, numbers(value)[0] ?? -1);
    expect(seen.size).toBe(many);
    expect([...seen].every(([key, value]) => value === key + 3)).toBe(true);
    const keys: number[] = [];
    for await (const key of map.keys()) keys.push(...numbers(key));
    expect(keys.toSorted((a, b) => a - b)).toEqual(range(many));
  },
);

kernelTest(
  "operation: batch of per-CPU values (BpfMap.batchUpdate, BpfMap.batchLookup) - rows of all possible CPUs",
  async () => {
    using map = makeMap("percpu_hash", 100);
    const row = (key: number) => range(possibleCpus()).flatMap((cpu) => [key * 10 + cpu, 0]);
    await map.batchUpdate(u32(...range(100)), u32(...range(100).flatMap(row)));
    const all = await map.batchLookup();
    expect(numbers(all.values)).toEqual(numbers(all.keys).flatMap(row));
    expect(map.lookupPerCpu(u32(42))?.flatMap(numbers)).toEqual(range(possibleCpus(), 420));
  },
);

kernelTest("maps without batch commands are written, walked and cleared element by element", async () => {
  // A devmap's hash has no batch commands; its values are interface indexes, and the loopback's is 1.
  using map = makeMap("devmap_hash", 10);
  await map.batchUpdate(u32(...range(10)), u32(...range(10).map(() => 1)));
  const found = await map.batchLookup();
  expect([sorted(found.keys), numbers(found.values)]).toEqual([range(10), range(10).map(() => 1)]);
  expect([await map.batchDelete(u32(3, 50, 4)), (await map.batchLookup()).count]).toEqual([2, 8]);
  await expect(map.batchUpdate(u32(3, 4), u32(1, 999_999))).rejects.toThrow(
    /ENODEV.*element 1 of 2|EINVAL.*element 1 of 2/,
  );
});

kernelTest("a map of maps is walked, a queue is not", async () => {
  const options = { keySize: 4, valueSize: 4, maxEntries: 10 };
  using inner = BpfMap.create({ type: "hash", name: "inner", ...options });
  using outer = BpfMap.create({ type: "hash_of_maps", name: "outer", ...options, innerMap: inner });
  for (const key of range(10)) await outer.setInner(u32(key), inner);
  const found = await outer.batchLookup();
  expect([sorted(found.keys), numbers(found.values)]).toEqual([
    range(10),
    range(10).map(() => inner.info.id),
  ]);
  using queue = BpfMap.create({ type: "queue", name: "queue", keySize: 0, valueSize: 4, maxEntries: 2 });
  await expect(queue.batchLookup()).rejects.toThrow("iterate map queue: EINVAL (22): the map has no keys");
});

kernelTest("an array of maps with empty places is walked", async () => {
  const options = { keySize: 4, valueSize: 4 };
  using inner = BpfMap.create({ type: "hash", name: "inner", ...options, maxEntries: 1 });
  using outer = BpfMap.create({
    type: "array_of_maps",
    name: "sparse",
    ...options,
    maxEntries: 20,
    innerMap: inner,
  });
  for (const index of [3, 4, 17]) await outer.setInner(u32(index), inner);
  const { keys, values } = await outer.batchLookup();
  expect([numbers(keys), numbers(values)]).toEqual([[3, 4, 17], [3, 4, 17].map(() => inner.info.id)]);
  expect((await collect(outer.entries())).flatMap(({ key }) => numbers(key))).toEqual([3, 4, 17]);
});

kernelTest("a batch goes on to its end in a map that is closed meanwhile", async () => {
  const map = BpfMap.create({ type: "hash", name: "wide", keySize: 4, valueSize: 1024, maxEntries: 3000 });
  using same = BpfMap.openById(map.info.id);
  const written = map.batchUpdate(u32(...range(3000)), new Uint8Array(3000 * 1024)); // three chunks
  map.close();
  await written;
  expect((await same.batchLookup()).count).toBe(3000);
});

kernelTest(
  "a walk goes on over a map that is closed meanwhile, and never on a recycled descriptor",
  async () => {
    const map = makeMap("hash");
    await map.batchUpdate(u32(...range(many)), u32(...range(many)));
    const walk = map.entries();
    expect((await walk.next()).done).toBe(false);
    map.close();
    using other = makeMap("hash"); // takes the lowest free number
    let rest = 1;
    for await (const { value } of walk) rest += value.byteLength / 4;
    expect([rest, (await other.batchLookup()).count]).toEqual([many, 0]);
  },
);
