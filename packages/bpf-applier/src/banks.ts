import { bankHeader, serviceKey, serviceValue, slotKey, slotValue } from "@keelson/bpf";
import { BpfMap } from "bpf-maps-native";
import { TableBank, type TableShape } from "./table-bank.ts";

export type TableName = "services" | "slots";

/** New values by key; undefined: the key goes. */
export type EntryChanges = ReadonlyMap<string, Uint8Array | undefined>;

export interface BankChanges {
  readonly services: EntryChanges;
  readonly slots: EntryChanges;
}

/** The pinned maps-of-maps that programs start from. */
export interface OuterMaps {
  readonly active: BpfMap;
  readonly services: BpfMap;
  readonly slots: BpfMap;
}

const shapes: Record<TableName, TableShape> = {
  services: { name: "services_bank", keySize: serviceKey.size, valueSize: serviceValue.size },
  slots: { name: "slots_bank", keySize: slotKey.size, valueSize: slotValue.size },
};

const bankNumbers = [0, 1] as const;
type BankNumber = (typeof bankNumbers)[number];

const indexKey = (index: number): Uint8Array => new Uint8Array(new Uint32Array([index]).buffer);

/** One table: what it should hold, and its two copies in the kernel. */
class Table {
  readonly wanted = new Map<string, Uint8Array>();
  readonly outer: BpfMap;
  private readonly shape: TableShape;
  private readonly copies: [TableBank, TableBank];

  private constructor(shape: TableShape, outer: BpfMap, copies: [TableBank, TableBank]) {
    this.shape = shape;
    this.outer = outer;
    this.copies = copies;
  }

  static async open(name: TableName, outer: BpfMap): Promise<Table> {
    const shape = shapes[name];
    const copy = async (number: BankNumber): Promise<TableBank> => {
      const id = outer.innerId(indexKey(number));
      if (id !== undefined) return TableBank.adopt(BpfMap.openById(id));
      const bank = TableBank.create(shape, 0);
      await outer.setInner(indexKey(number), bank.map);
      return bank;
    };
    return new Table(shape, outer, [await copy(0), await copy(1)]);
  }

  /** Puts `changes` among what is wanted. @returns the changes that would undo it. */
  want(changes: EntryChanges): EntryChanges {
    const undo = new Map<string, Uint8Array | undefined>();
    for (const [key, value] of changes) {
      undo.set(key, this.wanted.get(key));
      if (value === undefined) this.wanted.delete(key);
      else this.wanted.set(key, value);
      for (const copy of this.copies) copy.markDirty(key);
    }
    return undo;
  }

  /** Entries that an earlier applier left and nobody wants are written over by the next `write`. */
  markAllDirty(): void {
    for (const copy of this.copies) {
      for (const key of copy.heldKeys()) copy.markDirty(key);
    }
  }

  /** Makes the copy in bank `number`, which no program may be reading, hold what is wanted. */
  async write(number: BankNumber): Promise<void> {
    if (this.wanted.size > this.copies[number].capacity) await this.grow(number);
    await this.copies[number].write(this.wanted);
  }

  close(): void {
    for (const copy of this.copies) copy.close();
  }

  private async grow(number: BankNumber): Promise<void> {
    const larger = TableBank.create(this.shape, this.wanted.size);
    for (const key of this.wanted.keys()) larger.markDirty(key);
    await this.outer.setInner(indexKey(number), larger.map);
    this.copies[number].close();
    this.copies[number] = larger;
  }
}

/**
 * Writes tables so that programs see all of a version or none of it: the new content goes into the bank that
 * nobody reads, then one pointer flips. The kernel returns from that flip only when no program still reads the old
 * bank (kernel/bpf/syscall.c, maybe_wait_bpf_programs), which is then the one to write next.
 */
export class Banks {
  private readonly active: BpfMap;
  private readonly tables: Record<TableName, Table>;
  private live: BankNumber;
  private generation: bigint;

  private constructor(
    active: BpfMap,
    tables: Record<TableName, Table>,
    live: BankNumber,
    generation: bigint,
  ) {
    this.active = active;
    this.tables = tables;
    this.live = live;
    this.generation = generation;
  }

  /** Opens the tables, with whatever an earlier applier left in them. */
  static async open(outer: OuterMaps): Promise<Banks> {
    const tables = {
      services: await Table.open("services", outer.services),
      slots: await Table.open("slots", outer.slots),
    };
    const header = readHeader(outer.active);
    return new Banks(outer.active, tables, header?.bank === 1 ? 1 : 0, header?.generation ?? 0n);
  }

  /** How often tables were flipped since the maps were made. */
  get flips(): bigint {
    return this.generation;
  }

  entries(table: TableName): number {
    return this.tables[table].wanted.size;
  }

  /**
   * Takes `changes` over and makes them live. If that fails, the programs go on with the version before, and the
   * changes are forgotten.
   */
  async commit(changes: BankChanges): Promise<void> {
    const undo = {
      services: this.tables.services.want(changes.services),
      slots: this.tables.slots.want(changes.slots),
    };
    try {
      await this.flip();
    } catch (error) {
      this.tables.services.want(undo.services);
      this.tables.slots.want(undo.slots);
      throw error;
    }
  }

  /** As commit, but entries that `changes` does not name go. For the first version after a start. */
  async replace(changes: BankChanges): Promise<void> {
    for (const table of Object.values(this.tables)) table.markAllDirty();
    await this.commit(changes);
  }

  close(): void {
    for (const table of Object.values(this.tables)) table.close();
  }

  private async flip(): Promise<void> {
    const next: BankNumber = this.live === 0 ? 1 : 0;
    await this.tables.slots.write(next);
    await this.tables.services.write(next);
    using header = BpfMap.create({
      type: "array",
      name: "bank_header",
      keySize: 4,
      valueSize: bankHeader.size,
      maxEntries: 1,
    });
    header.update(indexKey(0), bankHeader.encode({ bank: next, generation: this.generation + 1n }));
    await this.active.setInner(indexKey(0), header);
    this.live = next;
    this.generation += 1n;
  }
}

function readHeader(active: BpfMap): { bank: number; generation: bigint } | undefined {
  const id = active.innerId(indexKey(0));
  if (id === undefined) return undefined;
  using map = BpfMap.openById(id);
  const value = map.lookup(indexKey(0));
  return value === undefined ? undefined : bankHeader.decode(value);
}
