import type { Budget, Budgets } from "./bounds.ts";
import type { Part } from "./clauses.ts";
import { anyByte, emptyWidth, firstByte, lastByte, type Nondeterministic } from "./nondeterministic.ts";

export interface State {
  /** By byte; what is absent goes the default way. */
  readonly next: ReadonlyMap<number, number>;
  /** Where all other bytes that a strict head may have lead. */
  readonly otherwise: number;
  /** Patterns that hold if the value ends here, in order. */
  readonly holding: readonly number[];
}

/** The state behind a byte that a strict head may have. */
export const stateAfter = (states: readonly State[], state: number, byte: number): number =>
  states[state]?.next.get(byte) ?? states[state]?.otherwise ?? deadState;

/** The state that nothing leads out of, and where nothing holds. */
export const deadState = 0;
export const startState = 1;

/** What stood before the place that is looked at. */
export const before = { nothing: 0, word: 1, other: 2 } as const;
export const endOfValue = -1;
/** Any byte, and the end, where no condition on words may be taken to hold. */
const someByte = -2;
const someEnd = -3;

/** Of the rules that look at the part, which patterns they look at, and which of those decide. */
export type Uses = Pick<Part, "firstUse" | "decides">;

/**
 * Makes a nondeterministic automaton deterministic (subset construction). The states are in the order in which they are
 * found: the dead one, the start, then those after one byte.
 * @throws Unfit where it would have too many states, or take too much work
 */
export function determinise(automaton: Nondeterministic, uses: Uses, budgets: Budgets): State[] {
  return new SubsetConstruction(automaton, uses, budgets).run();
}

/** Positions that a scan is at, all at once. */
export interface Subset {
  readonly items: readonly number[];
  readonly before: number;
}

class SubsetConstruction {
  private readonly automaton: Nondeterministic;
  private readonly uses: Uses;
  private readonly budgets: Budgets;
  private readonly known = new Map<string, number>();
  private readonly subsets: Subset[] = [];
  private readonly anyway = new Map<number, boolean>();

  constructor(automaton: Nondeterministic, uses: Uses, budgets: Budgets) {
    this.automaton = automaton;
    this.uses = uses;
    this.budgets = budgets;
  }

  run(): State[] {
    this.subsets.push({ items: [], before: before.other });
    this.subsets.push({ items: sorted(this.automaton.starts), before: before.nothing });
    const states: State[] = [];
    for (let index = 0; index < this.subsets.length; index++) {
      states.push(this.expand(this.subsets[index] as Subset));
    }
    return states;
  }

  private stateOf(subset: Subset): number {
    if (subset.items.length === 0) return deadState;
    const key = `${subset.before}:${subset.items.join()}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    this.budgets.states.spend();
    const state = this.subsets.push(subset) - 1;
    this.known.set(key, state);
    return state;
  }

  private expand(subset: Subset): State {
    const holding = new Set<number>();
    for (const item of this.closure(subset, endOfValue)) {
      const position = this.automaton.positions[item];
      if (position?.kind === "holds") holding.add(position.pattern);
    }
    const { next, otherwise } = withDefault(this.targets(subset));
    return { next, otherwise, holding: sorted(holding) };
  }

  /** Where each byte leads that leads anywhere. */
  private targets(subset: Subset): Map<number, number> {
    const targets = new Map<number, number>();
    // Which positions are reached without a byte depends on the next byte only where words are looked at.
    for (const bytes of this.automaton.looksAtWords ? [wordBytes, otherBytes] : [allBytes]) {
      const { always, special } = this.following(subset, bytes);
      const usual = this.stateOfItems(always, bytes[0] ?? firstByte);
      for (const byte of bytes) {
        const more = special.get(byte);
        const target = more === undefined ? usual : this.stateOfItems([...always, ...more], byte);
        if (target !== deadState) targets.set(byte, target);
      }
    }
    return targets;
  }

  /** Positions behind any of these bytes, and those behind some of them. */
  private following(subset: Subset, bytes: readonly number[]) {
    const always: number[] = [];
    const special = new Map<number, number[]>();
    for (const item of this.closure(subset, bytes[0] ?? firstByte)) {
      const position = this.automaton.positions[item];
      if (position?.kind !== "bytes") continue;
      if (position.ranges === anyByte) {
        always.push(position.next);
        continue;
      }
      for (const byte of bytes) {
        if (!position.ranges.some(([from, to]) => byte >= from && byte <= to)) continue;
        if (special.get(byte)?.push(position.next) === undefined) special.set(byte, [position.next]);
      }
    }
    return { always, special };
  }

  private stateOfItems(items: readonly number[], byte: number): number {
    this.budgets.work.spend(items.length);
    return this.stateOf({ items: this.needed(sorted(items)), before: kindOf(this.automaton, byte) });
  }

  /**
   * Without the positions of patterns that no rule will ask: those behind a rule that holds whatever comes. Without this,
   * patterns that can hold together would need a state for each set of them.
   */
  private needed(items: readonly number[]): readonly number[] {
    const { automaton, uses } = this;
    const decided = Math.min(
      ...items.map((item) => {
        const pattern = automaton.patternOf[item] ?? 0;
        const clause = uses.decides[pattern];
        return clause !== undefined && this.holdsAnyway(item) ? clause : Number.POSITIVE_INFINITY;
      }),
    );
    if (decided === Number.POSITIVE_INFINITY) return items;
    return items.filter((item) => (uses.firstUse[automaton.patternOf[item] ?? 0] ?? 0) <= decided);
  }

  /** Whether a pattern that is at this position holds whatever comes: it loops over any byte, and may end. */
  private holdsAnyway(item: number): boolean {
    const known = this.anyway.get(item);
    if (known !== undefined) return known;
    const { positions } = this.automaton;
    const reached = [...this.closure({ items: [item], before: before.other }, someByte)];
    const loops = reached.some((one) => {
      const position = positions[one];
      return position?.kind === "bytes" && position.ranges === anyByte && position.next === item;
    });
    const holds = [...this.closure({ items: [item], before: before.other }, someEnd)].some(
      (one) => positions[one]?.kind === "holds",
    );
    this.anyway.set(item, loops && holds);
    return loops && holds;
  }

  private closure(subset: Subset, next: number): Set<number> {
    return closureOf(this.automaton, subset, next, this.budgets.work);
  }
}

/**
 * Positions that wait for a byte, or hold, at this place.
 * @param next the byte that follows, or `endOfValue`
 */
export function closureOf(
  automaton: Nondeterministic,
  { items, before: previous }: Subset,
  next: number,
  work?: Budget,
): Set<number> {
  const flags = flagsBetween(previous, next);
  const reached = new Set<number>();
  const open = [...items];
  for (let item = open.pop(); item !== undefined; item = open.pop()) {
    if (reached.has(item)) continue;
    reached.add(item);
    work?.spend();
    const position = automaton.positions[item];
    if (position?.kind === "split") open.push(...position.next);
    if (position?.kind === "assert" && (position.flags & ~flags) === 0) open.push(position.next);
  }
  return reached;
}

/** What a byte is to the place behind it. Kept apart only where it matters, as it doubles the states. */
export const kindOf = (automaton: Nondeterministic, byte: number): number =>
  automaton.looksAtWords && isWord(byte) ? before.word : before.other;

/** Underscore, digits and letters, as RE2's \b has it. */
const isWord = (byte: number): boolean => /\w/.test(String.fromCharCode(byte));
const allBytes = Array.from({ length: lastByte - firstByte + 1 }, (_, index) => firstByte + index);
const wordBytes = allBytes.filter(isWord);
const otherBytes = allBytes.filter((byte) => !isWord(byte));

function flagsBetween(previous: number, next: number): number {
  const start = previous === before.nothing ? emptyWidth.beginText : 0;
  if (next === someByte) return start;
  if (next === someEnd) return start | emptyWidth.endText;
  const isBoundary = (previous === before.word) !== (next !== endOfValue && isWord(next));
  return (
    start |
    (next === endOfValue ? emptyWidth.endText : 0) |
    (isBoundary ? emptyWidth.wordBoundary : emptyWidth.noWordBoundary)
  );
}

const sorted = (numbers: Iterable<number>): number[] => [...new Set(numbers)].sort((a, b) => a - b);

/** The target of most bytes becomes the default. */
function withDefault(targets: ReadonlyMap<number, number>): Pick<State, "next" | "otherwise"> {
  const counts = new Map<number, number>([[deadState, lastByte - firstByte + 1 - targets.size]]);
  for (const target of targets.values()) counts.set(target, (counts.get(target) ?? 0) + 1);
  const [otherwise] = [...counts].reduce((most, one) => (one[1] > most[1] ? one : most));
  const next = new Map<number, number>();
  for (let byte = firstByte; byte <= lastByte; byte++) {
    const target = targets.get(byte) ?? deadState;
    if (target !== otherwise) next.set(byte, target);
  }
  return { next, otherwise };
}
