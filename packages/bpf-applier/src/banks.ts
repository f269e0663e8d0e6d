import {
  serviceKey,
  serviceValue,
  slotKey,
  slotValue,
  switchedDestinationKey,
  switchedDestinationValue,
  switchedKeyValue,
  switchedRuleKey,
  switchedRuleValue,
  switchedServiceKey,
  switchedServiceValue,
} from "@keelson/bpf";
import type { BpfMap } from "bpf-maps-native";
import { BankHeaders, type BankNumber, indexKey, unknownMap } from "./bank-headers.ts";
import type { InnerMaps } from "./inner-maps.ts";
import { TableBank, type TableShape } from "./table-bank.ts";

/** In the order in which they are written. The last four are there where programs take requests. */
const tableNames = [
  "slots",
  "services",
  "switchedServices",
  "switchedRules",
  "switchedDestinations",
  "switchedKeys",
] as const;
export type TableName = (typeof tableNames)[number];

/** New values by key; undefined: the key goes. */
export type EntryChanges = ReadonlyMap<string, Uint8Array | undefined>;

/** What a table is not to hold any more, or anew; nothing is to change of a table that is left out. */
export type BankChanges = Partial<Record<TableName, EntryChanges>>;

/** The pinned maps-of-maps that programs start from. */
export interface OuterMaps {
  readonly active: BpfMap;
  readonly services: BpfMap;
  readonly slots: BpfMap;
  readonly switchedServices?: BpfMap;
  readonly switchedRules?: BpfMap;
  readonly switchedDestinations?: BpfMap;
  readonly switchedKeys?: BpfMap;
}

const shapes: Record<TableName, TableShape> = {
  services: { name: "services_bank", keySize: serviceKey.size, valueSize: serviceValue.size },
  slots: { name: "slots_bank", keySize: slotKey.size, valueSize: slotValue.size },
  switchedServices: {
    name: "switched_ports",
    keySize: switchedServiceKey.size,
    valueSize: switchedServiceValue.size,
  },
  switchedRules: {
    name: "switched_rules",
    keySize: switchedRuleKey.size,
    valueSize: switchedRuleValue.size,
  },
  switchedKeys: { name: "switched_keys", keySize: switchedRuleKey.size, valueSize: switchedKeyValue.size },
  switchedDestinations: {
    name: "switched_ends",
    keySize: switchedDestinationKey.size,
    valueSize: switchedDestinationValue.size,
  },
};

/** One table: what it should hold, and its two copies in the kernel. */
class Table {
  readonly wanted = new Map<string, Uint8Array>();
  readonly outer: BpfMap;
  private readonly shape: TableShape;
  private readonly inner: InnerMaps;
  private readonly copies: [TableBank, TableBank];

  private constructor(shape: TableShape, outer: BpfMap, inner: InnerMaps, copies: [TableBank, TableBank]) {
    this.shape = shape;
    this.outer = outer;
    this.inner = inner;
    this.copies = copies;
  }

  /** @param live the bank that programs read, if they read one */
  static async open(
    name: TableName,
    outer: BpfMap,
    inner: InnerMaps,
    live: BankNumber | undefined,
  ): Promise<Table> {
    const shape = shapes[name];
    const copy = async (number: BankNumber): Promise<TableBank> => {
      const id = outer.innerId(indexKey(number));
      const pinned = await inner.open(copyName(shape, number));
      if (pinned !== undefined && pinned.info.id === id) return TableBank.adopt(pinned);
      pinned?.close();
      if (number === live && id !== undefined) throw unknownMap(copyName(shape, number));
      // Without one, or from an applier that ended before it had pinned it: nobody reads it, so its place is free.
      const bank = TableBank.create(shape, 0);
      await outer.setInner(indexKey(number), bank.map);
      return bank;
    };
    return new Table(shape, outer, inner, [await copy(0), await copy(1)]);
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
    // Before it goes live: the next applier finds it by its pin.
    await this.inner.keep(copyName(this.shape, number), this.copies[number].map);
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

const copyName = ({ name }: TableShape, number: BankNumber): string => `${name}_${number}`;

/**
 * Writes tables so that programs see all of a version or none of it: the new content goes into the bank that
 * nobody reads, then one pointer flips. The kernel returns from that flip only when no program still reads the old
 * bank (kernel/bpf/syscall.c, maybe_wait_bpf_programs), which is then the one to write next.
 */
export class Banks {
  private readonly active: BpfMap;
  private readonly headers: BankHeaders;
  private readonly tables: ReadonlyMap<TableName, Table>;
  private live: BankNumber;
  private generation: bigint;

  private constructor(active: BpfMap, headers: BankHeaders, tables: ReadonlyMap<TableName, Table>) {
    this.active = active;
    this.headers = headers;
    this.tables = tables;
    this.live = headers.live ?? 0;
    this.generation = headers.generation();
  }

  /**
   * Opens the tables, with whatever an earlier applier left in them.
   * @throws Error if programs read tables that no applier of this kind has pinned
   */
  static async open(outer: OuterMaps, inner: InnerMaps): Promise<Banks> {
    const headers = await BankHeaders.open(outer.active, inner);
    const tables = new Map<TableName, Table>();
    for (const name of tableNames) {
      const map = outer[name];
      if (map !== undefined) tables.set(name, await Table.open(name, map, inner, headers.live));
    }
    return new Banks(outer.active, headers, tables);
  }

  /** How often tables were flipped since the maps were made. */
  get flips(): bigint {
    return this.generation;
  }

  entries(table: TableName): number {
    return this.tables.get(table)?.wanted.size ?? 0;
  }

  /**
   * Takes `changes` over and makes them live. If that fails, the programs go on with the version before, and the
   * changes are forgotten.
   */
  async commit(changes: BankChanges): Promise<void> {
    const undo = this.want(changes);
    try {
      await this.flip();
    } catch (error) {
      this.want(undo);
      throw error;
    }
  }

  /** As commit, but entries that `changes` does not name go. For the first version after a start. */
  async replace(changes: BankChanges): Promise<void> {
    for (const table of this.tables.values()) table.markAllDirty();
    await this.commit(changes);
  }

  close(): void {
    for (const table of this.tables.values()) table.close();
    this.headers.close();
  }

  /** @returns the changes that would undo it */
  private want(changes: BankChanges): BankChanges {
    const undo: BankChanges = {};
    for (const [name, table] of this.tables) undo[name] = table.want(changes[name] ?? new Map());
    return undo;
  }

  private async flip(): Promise<void> {
    const next: BankNumber = this.live === 0 ? 1 : 0;
    for (const table of this.tables.values()) await table.write(next);
    await this.active.setInner(indexKey(0), this.headers.write(next, this.generation + 1n));
    this.live = next;
    this.generation += 1n;
  }
}
