import { BpfMap } from "bpf-maps-native";
import { bytesOfTable, type MatchTable, type TableSize, tableSizes } from "./match-table.ts";

/** The maps of match tables, by their size. */
export type TableMaps = Readonly<Record<TableSize, BpfMap>>;

const keyOf = (id: bigint): Uint8Array => new Uint8Array(new BigUint64Array([id]).buffer);
const onlyEntry = new Uint8Array(4);

/**
 * The match tables that programs read. A table is there before a service names it, and goes once none does any more. What has
 * the identifier of a table is that table: it comes into its map as a whole.
 */
export class MatchTableMaps {
  private readonly maps: TableMaps;
  private readonly held: ReadonlyMap<TableSize, Set<bigint>>;

  private constructor(maps: TableMaps, held: ReadonlyMap<TableSize, Set<bigint>>) {
    this.maps = maps;
    this.held = held;
  }

  /** Takes over what an earlier applier left. */
  static async adopt(maps: TableMaps): Promise<MatchTableMaps> {
    const held = new Map<TableSize, Set<bigint>>();
    for (const size of tableSizes) {
      const ids = new Set<bigint>();
      for await (const key of maps[size].keys()) ids.add(Buffer.from(key).readBigUInt64LE());
      held.set(size, ids);
    }
    return new MatchTableMaps(maps, held);
  }

  /** @throws BpfError if the kernel has no room */
  async add(tables: Iterable<MatchTable>): Promise<void> {
    for (const table of tables) {
      const held = this.held.get(table.size);
      if (held?.has(table.id) !== false) continue;
      using map = filled(table);
      await this.maps[table.size].setInner(keyOf(table.id), map);
      held.add(table.id);
    }
  }

  /** To be called once programs read no version that names another. */
  async keepOnly(tables: Iterable<MatchTable>): Promise<void> {
    const wanted = new Set(Array.from(tables, ({ id, size }) => `${size} ${id}`));
    for (const [size, ids] of this.held)
      for (const id of ids) {
        if (wanted.has(`${size} ${id}`)) continue;
        await this.maps[size].deleteReference(keyOf(id));
        ids.delete(id);
      }
  }
}

/** Entries behind those that the table has belong to no row. */
function filled({ size, entries }: MatchTable): BpfMap {
  const valueSize = bytesOfTable(size);
  const map = BpfMap.create({ type: "array", name: "match_table", keySize: 4, valueSize, maxEntries: 1 });
  try {
    const value = new Uint8Array(valueSize);
    value.set(new Uint8Array(entries.buffer, entries.byteOffset, entries.byteLength));
    map.update(onlyEntry, value);
    return map;
  } catch (error) {
    map.close();
    throw error;
  }
}
