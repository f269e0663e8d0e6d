import { switchingObjectPath } from "@keelson/bpf/object";
import { type BpfMap, BpfObject } from "bpf-maps-native";
import { expect } from "vitest";
import { kernelTest } from "../kernel.test-helper.ts";
import { bytesOfTable, type MatchTable, type TableSize, tableSizes } from "./match-table.ts";
import { MatchTableMaps, type TableMaps } from "./match-table-maps.ts";

async function withMaps(body: (maps: TableMaps) => Promise<void>): Promise<void> {
  using object = await BpfObject.open(switchingObjectPath);
  await object.load();
  using small = object.map("match_tables_small");
  using medium = object.map("match_tables_medium");
  using large = object.map("match_tables_large");
  await body({ small, medium, large });
}

const table = (id: bigint, size: TableSize): MatchTable => ({
  id,
  size,
  start: 1,
  context: 2,
  entries: Uint32Array.of(7, Number(id)),
});

const innerIdOf = (map: BpfMap, id: bigint): number | undefined =>
  map.innerId(new Uint8Array(new BigUint64Array([id]).buffer));

async function idsIn(map: BpfMap): Promise<number[]> {
  const ids: number[] = [];
  for await (const key of map.keys()) ids.push(Number(Buffer.from(key).readBigUInt64LE()));
  return ids.sort((a, b) => a - b);
}

kernelTest("tables come in once, and go when nobody needs them", async () => {
  await withMaps(async (maps) => {
    const tables = await MatchTableMaps.adopt(maps);
    const [one, two, three] = [table(1n, "small"), table(2n, "small"), table(3n, "medium")];
    await tables.add([one, two, two, three]);
    const before = innerIdOf(maps.small, 2n);
    expect(before).toBeDefined();
    await tables.add([two]);
    await tables.keepOnly([two]);
    expect([await idsIn(maps.small), await idsIn(maps.medium)]).toEqual([[2], []]);
    expect(innerIdOf(maps.small, 2n)).toBe(before);
  });
});

kernelTest("whoever takes over keeps what is still needed, as it is", async () => {
  await withMaps(async (maps) => {
    await (await MatchTableMaps.adopt(maps)).add([table(1n, "small"), table(2n, "large")]);
    const before = innerIdOf(maps.large, 2n);
    const tables = await MatchTableMaps.adopt(maps);
    await tables.add([table(2n, "large")]);
    await tables.keepOnly([table(2n, "large")]);
    expect([await idsIn(maps.small), await idsIn(maps.large)]).toEqual([[], [2]]);
    expect(innerIdOf(maps.large, 2n)).toBe(before);
  });
});

kernelTest("sizes are those that the programs know: the kernel takes no other", async () => {
  await withMaps(async (maps) => {
    const tables = await MatchTableMaps.adopt(maps);
    for (const size of tableSizes) {
      await tables.add([{ ...table(9n, size), entries: new Uint32Array(bytesOfTable(size) / 4).fill(5) }]);
      expect(await idsIn(maps[size])).toEqual([9]);
    }
  });
});
