import { createHash } from "node:crypto";
import { largeTable, mediumTable, smallTable } from "@keelson/bpf";
import type { MatchAutomaton } from "@keelson/compiler/automaton";

/** Sizes of match tables by the entries that they have room for. */
const tableEntries = { small: smallTable, medium: mediumTable, large: largeTable } as const;
export type TableSize = keyof typeof tableEntries;
export const tableSizes = Object.keys(tableEntries) as TableSize[];

const entryBytes = 8;
/** What a table of a size takes of the kernel's memory. */
export const bytesOfTable = (size: TableSize): number => tableEntries[size] * entryBytes;

/** The automaton of a port's routes, as programs get it. */
export interface MatchTable {
  /** The first half of a SHA-256 over its entries, never 0: equal tables are one in the maps. */
  readonly id: bigint;
  readonly size: TableSize;
  readonly start: number;
  readonly context: number;
  /** As many as are used, rounded up. */
  readonly entries: Uint32Array;
}

/** Why there is no table. */
export interface Unfit {
  readonly unfit: string;
}

/** A table that takes a while to make; until then requests are the relay's. */
export const beingMade = "being made";

/** What there is of a port's table. */
export type TableState = MatchTable | Unfit | typeof beingMade;

/** The table of an automaton, or why there is none. */
export function tableOf(automaton: MatchAutomaton | Unfit): MatchTable | Unfit {
  if ("unfit" in automaton) return { unfit: `the automaton of its rules ${automaton.unfit}` };
  const { entries, start, context } = automaton;
  const count = entries.byteLength / entryBytes;
  const size = tableSizes.find((each) => count <= tableEntries[each]);
  // The automaton's own bound is the largest size.
  if (size === undefined)
    throw new Error(`an automaton of ${count} entries, at most ${tableEntries.large} fit`);
  const id = createHash("sha256").update(entries).digest().readBigUInt64LE(0);
  return { id: id === 0n ? 1n : id, size, start, context, entries };
}
