import { createHash } from "node:crypto";
import { toBinary } from "@bufbuild/protobuf";
import type { MatchAutomaton } from "@keelson/compiler/automaton";
import { routesAutomaton } from "@keelson/compiler/kernel-routes";
import { HttpMatchSchema } from "@keelson/protos/match";
import type { ServicePort } from "@keelson/protos/policy";

/** Sizes of match tables, as in bpf/switching/maps.h, by the entries that they have room for. */
export const tableEntries = { small: 2 ** 13, medium: 2 ** 17, large: 2 ** 21 } as const;
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

/** Makes the tables of ports, once for the same conditions as long as somebody holds the table. */
export class MatchTableMaker {
  private readonly ofPorts = new WeakMap<ServicePort, MatchTable | Unfit>();
  private readonly ofConditions = new Map<string, WeakRef<MatchTable>>();
  private readonly cleaner = new FinalizationRegistry<string>((conditions) => {
    if (this.ofConditions.get(conditions)?.deref() === undefined) this.ofConditions.delete(conditions);
  });

  tableOf(port: ServicePort): MatchTable | Unfit {
    const known = this.known(port);
    if (known !== undefined) return known;
    const made = this.made(port);
    this.ofPorts.set(port, made);
    return made;
  }

  /** The table if it need not be made, which takes milliseconds to seconds. */
  known(port: ServicePort): MatchTable | Unfit | undefined {
    const known = this.ofPorts.get(port);
    if (known !== undefined) return known;
    const same = this.ofConditions.get(conditionsOf(port))?.deref();
    if (same !== undefined) this.ofPorts.set(port, same);
    return same;
  }

  private made(port: ServicePort): MatchTable | Unfit {
    const automaton = routesAutomaton(askedOf(port));
    if ("unfit" in automaton) return { unfit: `the automaton of its rules ${automaton.unfit}` };
    const table = tableOf(automaton);
    const conditions = conditionsOf(port);
    this.ofConditions.set(conditions, new WeakRef(table));
    this.cleaner.register(table, conditions);
    return table;
  }
}

const askedOf = ({ routes }: ServicePort) => routes.map(({ route }) => ({ matches: route?.matches ?? [] }));

/** Equal for equal conditions. */
function conditionsOf(port: ServicePort): string {
  const hash = createHash("sha256");
  for (const { matches } of askedOf(port)) {
    hash.update(`${matches.length};`);
    for (const match of matches) {
      const bytes = toBinary(HttpMatchSchema, match);
      hash.update(`${bytes.length}:`).update(bytes);
    }
  }
  return hash.digest("base64");
}

function tableOf({ entries, start, context }: MatchAutomaton): MatchTable {
  const count = entries.byteLength / entryBytes;
  const size = tableSizes.find((each) => count <= tableEntries[each]);
  // The automaton's own bound is the largest size.
  if (size === undefined)
    throw new Error(`an automaton of ${count} entries, at most ${tableEntries.large} fit`);
  const id = createHash("sha256").update(entries).digest().readBigUInt64LE(0);
  return { id: id === 0n ? 1n : id, size, start, context, entries };
}
