import { bankHeader } from "@keelson/bpf";
import { BpfMap } from "bpf-maps-native";
import type { InnerMaps } from "./inner-maps.ts";

const bankNumbers = [0, 1] as const;
export type BankNumber = (typeof bankNumbers)[number];

/** The key of an array map. */
export const indexKey = (index: number): Uint8Array => new Uint8Array(new Uint32Array([index]).buffer);

/** Told of a map that programs read and no pin leads to. */
export const unknownMap = (name: string): Error =>
  new Error(
    `programs of this node read a map that is not the one pinned as "${name}": take them off with "bpf-applier uninstall", then start again`,
  );

/** Two maps of one entry, one for each bank; programs read the one that `active` points to. */
export class BankHeaders {
  /** The bank that programs read, if they read one; as it was at the start. */
  readonly live: BankNumber | undefined;
  private readonly maps: [BpfMap, BpfMap];

  private constructor(maps: [BpfMap, BpfMap], live: BankNumber | undefined) {
    this.maps = maps;
    this.live = live;
  }

  static async open(active: BpfMap, inner: InnerMaps): Promise<BankHeaders> {
    const open = async (number: BankNumber): Promise<BpfMap> => {
      const name = `bank_header_${number}`;
      const map = (await inner.open(name)) ?? createHeader();
      await inner.keep(name, map);
      return map;
    };
    const maps: [BpfMap, BpfMap] = [await open(0), await open(1)];
    const id = active.innerId(indexKey(0));
    const live = bankNumbers.find((number) => maps[number].info.id === id);
    if (id !== undefined && live === undefined) throw unknownMap("bank_header_0 or _1");
    return new BankHeaders(maps, live);
  }

  generation(): bigint {
    const value = this.live === undefined ? undefined : this.maps[this.live].lookup(indexKey(0));
    return value === undefined ? 0n : bankHeader.decode(value).generation;
  }

  /** The header that makes a bank live; to be asked for while programs read the other. */
  write(bank: BankNumber, generation: bigint): BpfMap {
    this.maps[bank].update(indexKey(0), bankHeader.encode({ bank, generation }));
    return this.maps[bank];
  }

  close(): void {
    for (const map of this.maps) map.close();
  }
}

const createHeader = (): BpfMap =>
  BpfMap.create({
    type: "array",
    name: "bank_header",
    keySize: 4,
    valueSize: bankHeader.size,
    maxEntries: 1,
  });
