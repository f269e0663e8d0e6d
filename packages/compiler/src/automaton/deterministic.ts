import { matchFirstByte, matchLastByte } from "@keelson/bpf";
import type { Budgets } from "./bounds.ts";
import type { Part } from "./clauses.ts";
import {
  before,
  Closure,
  endOfValue,
  kindOf,
  type Subset,
  SubsetNumbers,
  someByte,
  someEnd,
  sortedOnce,
} from "./closure.ts";
import { anyByte, isWord, type Nondeterministic } from "./nondeterministic.ts";

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
const deadState = 0;
export const startState = 1;

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

class SubsetConstruction {
  private readonly automaton: Nondeterministic;
  private readonly uses: Uses;
  private readonly budgets: Budgets;
  private readonly closure: Closure;
  private readonly numbers = new SubsetNumbers();
  /** By position, once it was asked: whether its pattern holds whatever comes. */
  private readonly anyway = new Map<number, boolean>();
  private readonly byteSets: readonly (readonly number[])[];

  constructor(automaton: Nondeterministic, uses: Uses, budgets: Budgets) {
    this.automaton = automaton;
    this.uses = uses;
    this.budgets = budgets;
    this.closure = new Closure(automaton);
    // Which positions are reached without a byte depends on the next byte only where words are looked at.
    this.byteSets = automaton.looksAtWords ? [wordBytes, otherBytes] : [allBytes];
  }

  run(): State[] {
    const { subsets } = this.numbers;
    this.numbers.add({ items: [], before: before.other });
    this.numbers.add({ items: sortedOnce([...this.automaton.starts]), before: before.nothing });
    const states: State[] = [];
    for (let index = 0; index < subsets.length; index++) states.push(this.expand(subsets[index] as Subset));
    return states;
  }

  private stateOf(subset: Subset): number {
    if (subset.items.length === 0) return deadState;
    const known = this.numbers.known(subset);
    if (known !== undefined) return known;
    this.budgets.states.spend();
    return this.numbers.add(subset);
  }

  private expand(subset: Subset): State {
    const holding: number[] = [];
    for (const item of this.closureOf(subset, endOfValue)) {
      const position = this.automaton.positions[item];
      if (position?.kind === "holds") holding.push(position.pattern);
    }
    const { next, otherwise } = withDefault(this.targets(subset));
    return { next, otherwise, holding: sortedOnce(holding) };
  }

  /** Where each byte leads that leads anywhere. */
  private targets(subset: Subset): Map<number, number> {
    const targets = new Map<number, number>();
    for (const bytes of this.byteSets) {
      const { always, special } = this.following(subset, bytes);
      const usual = this.stateOfItems(always, bytes[0] ?? matchFirstByte);
      for (const byte of bytes) {
        const more = special.get(byte);
        const target = more === undefined ? usual : this.stateOfItems(always.concat(more), byte);
        if (target !== deadState) targets.set(byte, target);
      }
    }
    return targets;
  }

  /** Positions behind any of these bytes, and those behind some of them. */
  private following(subset: Subset, bytes: readonly number[]) {
    const always: number[] = [];
    const special = new Map<number, number[]>();
    for (const item of this.closureOf(subset, bytes[0] ?? matchFirstByte)) {
      const position = this.automaton.positions[item];
      if (position?.kind !== "bytes") continue;
      if (position.ranges === anyByte) {
        always.push(position.next);
        continue;
      }
      for (const [from, to] of position.ranges) {
        for (let byte = from; byte <= to; byte++) {
          if (special.get(byte)?.push(position.next) === undefined) special.set(byte, [position.next]);
        }
      }
    }
    return { always, special };
  }

  private stateOfItems(items: number[], byte: number): number {
    this.budgets.work.spend(items.length);
    return this.stateOf({ items: this.needed(sortedOnce(items)), before: kindOf(this.automaton, byte) });
  }

  /**
   * Without the positions of patterns that no rule will ask: those behind a rule that holds whatever comes. Without this,
   * patterns that can hold together would need a state for each set of them.
   */
  private needed(items: readonly number[]): readonly number[] {
    const { automaton, uses } = this;
    let decided = Number.POSITIVE_INFINITY;
    for (const item of items) {
      const clause = uses.decides[automaton.patternOf[item] ?? 0];
      if (clause !== undefined && clause < decided && this.holdsAnyway(item)) decided = clause;
    }
    if (decided === Number.POSITIVE_INFINITY) return items;
    return items.filter((item) => (uses.firstUse[automaton.patternOf[item] ?? 0] ?? 0) <= decided);
  }

  /** Whether a pattern that is at this position holds whatever comes: it loops over any byte, and may end. */
  private holdsAnyway(item: number): boolean {
    const { positions } = this.automaton;
    // Nearly all positions wait for one byte.
    const position = positions[item];
    if (position?.kind === "bytes" && position.ranges !== anyByte) return false;
    const known = this.anyway.get(item);
    if (known !== undefined) return known;
    const subset = { items: [item], before: before.other };
    const loops = this.closureOf(subset, someByte).some((one) => {
      const reached = positions[one];
      return reached?.kind === "bytes" && reached.ranges === anyByte && reached.next === item;
    });
    const holds = this.closureOf(subset, someEnd).some((one) => positions[one]?.kind === "holds");
    this.anyway.set(item, loops && holds);
    return loops && holds;
  }

  private closureOf(subset: Subset, next: number): readonly number[] {
    const reached = this.closure.of(subset, next);
    this.budgets.work.spend(reached.length);
    return reached;
  }
}

const allBytes = Array.from(
  { length: matchLastByte - matchFirstByte + 1 },
  (_, index) => matchFirstByte + index,
);
const wordBytes = allBytes.filter(isWord);
const otherBytes = allBytes.filter((byte) => !isWord(byte));

/** The target of most bytes becomes the default. */
function withDefault(targets: ReadonlyMap<number, number>): Pick<State, "next" | "otherwise"> {
  const counts = new Map<number, number>([[deadState, matchLastByte - matchFirstByte + 1 - targets.size]]);
  for (const target of targets.values()) counts.set(target, (counts.get(target) ?? 0) + 1);
  const [otherwise] = [...counts].reduce((most, one) => (one[1] > most[1] ? one : most));
  const next = new Map<number, number>();
  for (let byte = matchFirstByte; byte <= matchLastByte; byte++) {
    const target = targets.get(byte) ?? deadState;
    if (target !== otherwise) next.set(byte, target);
  }
  return { next, otherwise };
}
