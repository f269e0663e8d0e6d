import { matchAny, matchFirstByte, matchLastByte, matchNext } from "@keelson/bpf";
import { type Action, actionWords, entriesOfAction } from "./actions.ts";
import type { Budget } from "./bounds.ts";

/** Where a transition leads; a plain number says what is found. */
export type Target = { readonly row: number } | { readonly action: number } | { readonly found: number };

export const isSameTarget = (one: Target, other: Target): boolean =>
  "row" in one
    ? "row" in other && one.row === other.row
    : "action" in one
      ? "action" in other && one.action === other.action
      : "found" in other && one.found === other.found;

/** The number of an entry that is marked; undefined for a row's place. */
export const markedNumber = (next: number): number | undefined =>
  (next & matchNext.mark.value) === 0 ? undefined : (next & ~matchNext.mark.value) >>> 0;

/** Transitions from one state: by symbol, and otherwise. */
export interface Row {
  readonly entries: Map<number, Target>;
  /** `like`: to where that row leads with the same symbol. */
  otherwise: Target | { readonly like: number };
}

/** Rows of one table under construction. */
export class Rows {
  readonly rows: Row[] = [];
  /** Where a symbol leads that a row says nothing of. */
  readonly nowhere: Target;

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
  /** Pairs of owner and next, and actions; a power of two of pairs. */
  readonly entries: Uint32Array;
  /** By row: its place, from 1 on. */
  readonly places: readonly number[];
  /** Entries in use. */
  readonly used: number;
}

/** Place 0 is nobody's: an entry without owner has it. */
const firstEntry = 1;
const placeOfAction = (index: number): number => firstEntry + entriesOfAction * index;

/**
 * Lays rows over one another, so that the gaps of one hold entries of others (row displacement). A symbol's entry stands
 * at the row's place plus the symbol, and counts if its owner is that place; else the entry at the place itself does.
 * Actions stand before all rows, two entries each.
 * @throws Unfit where it grows beyond the bound
 */
export function pack(rows: readonly Row[], actions: readonly Action[], budget: Budget): Packed {
  // Rows look only at what stands behind their place, so that none takes an action for an entry.
  const slots = new Slots(firstEntry + entriesOfAction * actions.length);
  budget.spend(entriesOfAction * actions.length);
  const places = rows.map(() => 0);
  const order = rows.map((_, index) => index);
  // Rows that are full find their place first, those with few entries fill the gaps.
  order.sort((a, b) => (rows[b]?.entries.size ?? 0) - (rows[a]?.entries.size ?? 0));
  for (const index of order) {
    const symbols = [matchAny, ...(rows[index]?.entries.keys() ?? [])];
    budget.spend(symbols.length);
    places[index] = slots.take(symbols);
  }
  budget.spend(slots.end - slots.used);
  return { entries: fill(rows, actions, places, slots.end), places, used: slots.used };
}

/** Free places, found again without looking at those that are taken. */
class Slots {
  used: number;
  end: number;
  private readonly taken: boolean[] = [];
  private from: number;

  constructor(first: number) {
    this.used = first;
    this.end = first;
    this.from = first;
  }

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

function fill(
  rows: readonly Row[],
  actions: readonly Action[],
  places: readonly number[],
  end: number,
): Uint32Array {
  const entries = new Uint32Array(2 * 2 ** Math.ceil(Math.log2(end)));
  for (const [index, action] of actions.entries()) {
    entries.set(
      actionWords(action, (row) => places[row] ?? 0),
      2 * placeOfAction(index),
    );
  }
  for (const [index, { entries: transitions, otherwise }] of rows.entries()) {
    const place = places[index] ?? 0;
    const put = (symbol: number, next: number): void => {
      entries[2 * (place + symbol)] = place;
      entries[2 * (place + symbol) + 1] = next;
    };
    put(matchAny, defaultOf(index, { entries: transitions, otherwise }, places));
    for (const [symbol, target] of transitions) put(symbol, nextOf(target, places));
  }
  return entries;
}

function defaultOf(index: number, row: Row, places: readonly number[]): number {
  const { otherwise } = row;
  if ("like" in otherwise) return (places[otherwise.like] ?? 0) | matchNext.fallsBack.value;
  const next = nextOf(otherwise, places);
  return isPassedOver(index, row) ? next | matchNext.stays.value : next;
}

function isPassedOver(index: number, { entries, otherwise }: Row): boolean {
  const leadsBack = "row" in otherwise && otherwise.row === index;
  return (
    leadsBack && ![...entries.keys()].some((symbol) => symbol >= matchFirstByte && symbol <= matchLastByte)
  );
}

function nextOf(target: Target, places: readonly number[]): number {
  if ("row" in target) return places[target.row] ?? 0;
  return (matchNext.mark.value | ("action" in target ? placeOfAction(target.action) : target.found)) >>> 0;
}
