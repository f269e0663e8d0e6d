import type { Budget } from "./bounds.ts";

/** Where a transition leads: a row, or a number that is marked in the table (an action, or a rule). */
export type Target = { readonly row: number } | { readonly marked: number };

/** Marks an entry's `next` as a number that is not a row's place. */
export const mark = 0x8000_0000;
/** The symbol of a row's default transition. */
export const anySymbol = 0;

/** Transitions from one state: by symbol, and otherwise. */
export interface Row {
  readonly entries: Map<number, Target>;
  otherwise: Target;
}

/** Rows of one table under construction. */
export class Rows {
  readonly rows: Row[] = [];
  private readonly nowhere: Target;

  /** @param nowhere where a symbol leads that a row says nothing of */
  constructor(nowhere: Target) {
    this.nowhere = nowhere;
  }

  add(otherwise: Target = this.nowhere): number {
    return this.rows.push({ entries: new Map(), otherwise }) - 1;
  }

  set(row: number, symbol: number, target: Target): void {
    this.rows[row]?.entries.set(symbol, target);
  }

  setOtherwise(row: number, target: Target): void {
    const found = this.rows[row];
    if (found !== undefined) found.otherwise = target;
  }
}

export interface Packed {
  /** Pairs of owner and next; a power of two of entries. */
  readonly entries: Uint32Array;
  /** By row: its place, from 1 on. */
  readonly places: readonly number[];
  /** Entries in use. */
  readonly used: number;
}

/**
 * Lays rows over one another, so that the gaps of one hold entries of others (row displacement). A symbol's entry stands
 * at the row's place plus the symbol, and counts if its owner is that place; else the entry at the place itself does.
 * @throws Unfit where it grows beyond the bound
 */
export function pack(rows: readonly Row[], budget: Budget): Packed {
  const slots = new Slots();
  const places = rows.map(() => 0);
  const order = rows.map((_, index) => index);
  // Rows that are full find their place first, those with few entries fill the gaps.
  order.sort((a, b) => (rows[b]?.entries.size ?? 0) - (rows[a]?.entries.size ?? 0));
  for (const index of order) {
    const symbols = [anySymbol, ...(rows[index]?.entries.keys() ?? [])];
    budget.spend(symbols.length);
    places[index] = slots.take(symbols);
  }
  budget.spend(slots.end - slots.used);
  return { entries: fill(rows, places, slots.end), places, used: slots.used };
}

/** Free places, found again without looking at those that are taken. */
class Slots {
  used = 0;
  end = 1;
  private readonly taken: boolean[] = [true];
  private from = 1;

  take(symbols: readonly number[]): number {
    let place = this.from;
    let tried = 0;
    while (symbols.some((symbol) => this.taken[place + symbol] === true)) {
      place++;
      tried++;
    }
    for (const symbol of symbols) {
      this.taken[place + symbol] = true;
      this.end = Math.max(this.end, place + symbol + 1);
    }
    this.used += symbols.length;
    // Where the search is long the region is nearly full, and not worth another.
    if (tried > 200) this.from = place - 100;
    while (this.taken[this.from] === true) this.from++;
    return place;
  }
}

function fill(rows: readonly Row[], places: readonly number[], end: number): Uint32Array {
  const size = 2 ** Math.ceil(Math.log2(end + 1));
  const entries = new Uint32Array(2 * size);
  for (const [index, { entries: transitions, otherwise }] of rows.entries()) {
    const place = places[index] ?? 0;
    const put = (symbol: number, target: Target): void => {
      entries[2 * (place + symbol)] = place;
      entries[2 * (place + symbol) + 1] =
        "row" in target ? (places[target.row] ?? 0) : (mark | target.marked) >>> 0;
    };
    put(anySymbol, otherwise);
    for (const [symbol, target] of transitions) put(symbol, target);
  }
  return entries;
}
