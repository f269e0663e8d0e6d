import { BpfMap } from "bpf-maps-native";
import type { Entry } from "./slots.ts";

export const noPreallocation = 1; // BPF_F_NO_PREALLOC, as in bpf/maps.h

/** A map's key as a string, so that it can be a key here, too: one character a byte. */
export const keyText = (key: Uint8Array): string => Buffer.from(key).toString("latin1");
const keyBytes = (text: string): Uint8Array => Buffer.from(text, "latin1");

export interface TableShape {
  readonly name: string;
  readonly keySize: number;
  readonly valueSize: number;
}

/** Room for this many entries at the least; a bank that grows doubles. */
const minimumCapacity = 1024;

/**
 * One of the two copies of a table. It knows exactly what its map holds (read from the kernel, not assumed), so
 * that a write touches only what differs.
 */
export class TableBank {
  readonly map: BpfMap;
  private readonly held: Map<string, Uint8Array>;
  /** Keys whose value may differ from what is wanted. */
  private readonly dirty = new Set<string>();

  private constructor(map: BpfMap, held: Map<string, Uint8Array>) {
    this.map = map;
    this.held = held;
  }

  /** An empty map with room for `entries`. */
  static create(shape: TableShape, entries: number): TableBank {
    const capacity = Math.max(minimumCapacity, 2 ** Math.ceil(Math.log2(entries * 2)));
    const map = BpfMap.create({
      type: "hash",
      name: shape.name,
      keySize: shape.keySize,
      valueSize: shape.valueSize,
      maxEntries: capacity,
      flags: noPreallocation,
    });
    return new TableBank(map, new Map());
  }

  /** Takes over a map that an earlier applier filled. */
  static async adopt(map: BpfMap): Promise<TableBank> {
    return new TableBank(map, await read(map));
  }

  get capacity(): number {
    return this.map.info.maxEntries;
  }

  markDirty(key: string): void {
    this.dirty.add(key);
  }

  heldKeys(): Iterable<string> {
    return this.held.keys();
  }

  /**
   * Makes the map hold what is wanted. To be called only while no program reads it.
   * On an error the map's true content is read back, so that a later call starts from the truth.
   */
  async write(wanted: ReadonlyMap<string, Uint8Array>): Promise<void> {
    const puts: Entry[] = [];
    const deletes: string[] = [];
    for (const key of this.dirty) {
      const value = wanted.get(key);
      const held = this.held.get(key);
      if (value === undefined) {
        if (held !== undefined) deletes.push(key);
      } else if (held === undefined || Buffer.compare(held, value) !== 0) {
        puts.push({ key: keyBytes(key), value });
      }
    }
    try {
      if (deletes.length > 0) await this.map.batchDelete(Buffer.concat(deletes.map(keyBytes)));
      if (puts.length > 0) {
        await this.map.batchUpdate(
          Buffer.concat(puts.map((entry) => entry.key)),
          Buffer.concat(puts.map((entry) => entry.value)),
        );
      }
    } catch (error) {
      await this.readBack();
      throw error;
    }
    for (const key of deletes) this.held.delete(key);
    for (const { key, value } of puts) this.held.set(keyText(key), value);
    this.dirty.clear();
  }

  close(): void {
    this.map.close();
  }

  private async readBack(): Promise<void> {
    const held = await read(this.map);
    for (const key of this.held.keys()) this.dirty.add(key);
    this.held.clear();
    for (const [key, value] of held) {
      this.held.set(key, value);
      this.dirty.add(key);
    }
  }
}

async function read(map: BpfMap): Promise<Map<string, Uint8Array>> {
  const { keySize, valueSize } = map.info;
  const { count, keys, values } = await map.batchLookup();
  const held = new Map<string, Uint8Array>();
  for (let i = 0; i < count; i++) {
    const key = keys.subarray(i * keySize, (i + 1) * keySize);
    held.set(keyText(key), values.slice(i * valueSize, (i + 1) * valueSize));
  }
  return held;
}
