import { matchEndOfHead, matchFirstPart } from "@keelson/bpf";
import type { HttpMatch } from "@keelson/protos/match";
import { Actions } from "./actions.ts";
import { type Bounds, Budgets, defaultBounds, Unfit } from "./bounds.ts";
import { Clauses, part } from "./clauses.ts";
import { type Context, contextsOf } from "./contexts.ts";
import { addFallbacks } from "./fallbacks.ts";
import { type Scanner, scannerOf } from "./outcomes.ts";
import { shapes as carriedShapes, countedShapes, RequestHead } from "./request-head.ts";
import { pack, Rows } from "./rows.ts";

/** All conditions of a service's rules, as one table over the bytes of a request's head. */
export interface MatchAutomaton {
  /** `matchEntry` and `matchAction` as words of 32 bits; a power of two of entries. */
  readonly entries: Uint32Array;
  /** The place where a head begins. */
  readonly start: number;
  /** The place of what is known before the first byte. */
  readonly context: number;
  /** For `explain` and for benchmarks. */
  readonly size: { readonly entries: number; readonly contexts: number; readonly bytes: number };
}

/** Symbols in a context's row: the end of the head, then the parts, then their outcomes. */
export const symbolOfPart = (number: number): number => matchFirstPart + number;

/**
 * @param rules in the order of precedence, each the matches of which one must hold; one of none: every request. No rules: what a
 * head is, with whatever path
 * @returns the automaton, or why there is none: the relay matches such a service's requests
 */
export function matchAutomaton(
  rules: readonly (readonly HttpMatch[])[],
  bounds: Bounds = defaultBounds,
): MatchAutomaton | { readonly unfit: string } {
  try {
    return build(rules, bounds);
  } catch (error) {
    if (error instanceof Unfit) return { unfit: error.message };
    throw error;
  }
}

/**
 * What rules ask of requests that the kernel does not look at, whatever the size of their automaton; quick.
 * @returns undefined: nothing
 */
export function whyNotInKernel(rules: readonly (readonly HttpMatch[])[]): string | undefined {
  try {
    clausesOf(rules, defaultBounds);
    return undefined;
  } catch (error) {
    if (error instanceof Unfit) return error.message;
    throw error;
  }
}

function clausesOf(rules: readonly (readonly HttpMatch[])[], bounds: Bounds): Clauses {
  const clauses = new Clauses();
  for (const [rule, matches] of rules.entries()) clauses.add(rule, matches);
  if (clauses.parts.length - Object.keys(part).length > bounds.headers) {
    throw new Unfit(`looks at more than ${bounds.headers} headers`);
  }
  return clauses;
}

function build(rules: readonly (readonly HttpMatch[])[], bounds: Bounds): MatchAutomaton {
  const clauses = clausesOf(rules, bounds);
  const { parts } = clauses;
  const budgets = new Budgets(bounds);
  const mindsPathForm = rules.length > 0;
  const shapes = mindsPathForm ? carriedShapes : countedShapes;
  const scanners = parts.map((one, number) => scannerOf(one, budgets, shapes.get(number)));
  const contexts = contextsOf(clauses.clauses, parts, scanners, budgets);
  const symbolOf = outcomeSymbols(scanners);
  const actions = new Actions();
  const rows = new Rows(actions.relay("byte"));
  const start = new RequestHead(rows, actions, { parts, scanners, shapes, symbolOf, mindsPathForm }).build();
  addFallbacks(rows);
  const context = addContexts(rows, contexts, symbolOf);
  const packed = pack(rows.rows, actions.actions, budgets.entries);
  const placeOf = (row: number): number => packed.places[row] ?? 0;
  return {
    entries: packed.entries,
    start: placeOf(start),
    context: placeOf(context),
    size: { entries: packed.used, contexts: contexts.length, bytes: packed.entries.byteLength },
  };
}

/** Every outcome of every part has a symbol of its own. */
function outcomeSymbols(scanners: readonly Scanner[]): (part: number, outcome: number) => number {
  let next = symbolOfPart(scanners.length);
  const firstOf = scanners.map(({ outcomes }) => {
    const first = next;
    next += outcomes.length;
    return first;
  });
  return (number, outcome) => (firstOf[number] ?? 0) + outcome;
}

/** @returns the row of the first context */
function addContexts(
  rows: Rows,
  contexts: readonly Context[],
  symbolOf: (part: number, outcome: number) => number,
): number {
  const rowOf = contexts.map(() => rows.add());
  for (const [index, { steps, rule }] of contexts.entries()) {
    const row = rowOf[index] ?? 0;
    // What a context says nothing of leaves it as it is.
    rows.setOtherwise(row, { row });
    rows.set(row, matchEndOfHead, { found: rule === undefined ? 0 : rule + 1 });
    for (const [number, { special, otherwise }] of steps) {
      if (otherwise !== index) rows.set(row, symbolOfPart(number), { row: rowOf[otherwise] ?? 0 });
      for (const [outcome, target] of special) {
        rows.set(row, symbolOf(number, outcome), { row: rowOf[target] ?? 0 });
      }
    }
  }
  return rowOf[0] ?? 0;
}
