import type { RE2JS } from "re2js";
import { Budget, Unfit } from "./bounds.ts";
import { before, Closure, endOfValue, kindOf, type Subset, SubsetNumbers, sortedOnce } from "./closure.ts";
import { Nondeterministic } from "./nondeterministic.ts";
import { addCompiled } from "./regular-expression.ts";
import { Steps } from "./steps.ts";

/** What a set may grow to. */
export interface ExpressionBounds {
  /** Positions in all expressions; about 100 bytes each. */
  readonly positions: number;
  /** Positions in all states that are remembered; about 20 bytes each. */
  readonly items: number;
  /** Steps between them; 16 to 32 bytes each. */
  readonly steps: number;
}

const defaultBounds: ExpressionBounds = { positions: 1_000_000, items: 1_000_000, steps: 500_000 };
const defaultLeastTexts = 1_000;

/** Only visible bytes of ASCII and the space are looked at. */
const readable = /^[\x20-\x7e]*$/;

/**
 * Tells which of many regular expressions (RE2) match a text, in one pass over it: what that costs depends on the text, not on
 * how many there are. The automaton is made as texts come (as RE2 does it): a state, once met, is remembered, and all are
 * forgotten when they take too much room.
 */
export class ExpressionSet {
  /** Numbers of expressions that it has no place for; they are to be asked by themselves. */
  readonly unfit: readonly number[];
  private readonly automaton: Nondeterministic;
  private readonly closure: Closure;
  private states = new SubsetNumbers();
  private steps = new Steps();
  /** By state: expressions that match if the text ends there; absent: not asked yet. */
  private matchingIn: (readonly number[] | undefined)[] = [];
  private items = 0;
  /** Since all states were forgotten. */
  private texts = 0;
  private givenUp = false;
  private readonly bounds: ExpressionBounds;
  private readonly leastTexts: number;

  /** @param leastTexts that its states must be good for before they take too much room; else it is given up */
  constructor(
    expressions: readonly RE2JS[],
    bounds: ExpressionBounds = defaultBounds,
    leastTexts = defaultLeastTexts,
  ) {
    this.bounds = bounds;
    this.leastTexts = leastTexts;
    const automaton = new Nondeterministic(new Budget("positions in patterns", bounds.positions));
    const unfit: number[] = [];
    for (const [number, expression] of expressions.entries()) {
      try {
        automaton.addPattern(number, (end) => addCompiled(automaton, expression, end));
      } catch (error) {
        if (!(error instanceof Unfit)) throw error;
        unfit.push(number);
      }
    }
    this.automaton = automaton;
    this.closure = new Closure(automaton);
    this.unfit = unfit;
    this.forget();
  }

  /**
   * Numbers of the expressions that match the whole text, in order, without those that are unfit.
   * @returns undefined: they are all to be asked by themselves. So it is with a text that has other bytes than visible ones of
   * ASCII and the space, and with all texts where expressions meet in too many ways to remember them
   */
  matching(text: string): readonly number[] | undefined {
    if (this.givenUp || !readable.test(text)) return undefined;
    if (this.items > this.bounds.items || this.steps.size > this.bounds.steps) {
      this.givenUp = this.texts < this.leastTexts;
      this.forget();
    }
    this.texts++;
    let state = 0;
    for (let at = 0; at < text.length; at++) {
      const byte = text.charCodeAt(at);
      state = this.steps.get(state, byte) ?? this.step(state, byte);
    }
    return (this.matchingIn[state] ??= this.matchingAt(state));
  }

  private forget(): void {
    this.states = new SubsetNumbers();
    this.steps = new Steps();
    this.matchingIn = [];
    this.items = 0;
    this.texts = 0;
    this.stateOf({ items: this.automaton.starts, before: before.nothing });
  }

  private step(from: number, byte: number): number {
    const next: number[] = [];
    for (const item of this.closure.of(this.states.subsets[from] as Subset, byte)) {
      const position = this.automaton.positions[item];
      if (position?.kind !== "bytes") continue;
      if (position.ranges.some(([first, last]) => byte >= first && byte <= last)) next.push(position.next);
    }
    const to = this.stateOf({ items: sortedOnce(next), before: kindOf(this.automaton, byte) });
    this.steps.add(from, byte, to);
    return to;
  }

  private stateOf(subset: Subset): number {
    const known = this.states.known(subset);
    if (known !== undefined) return known;
    this.items += subset.items.length;
    return this.states.add(subset);
  }

  private matchingAt(state: number): readonly number[] {
    const matching: number[] = [];
    for (const item of this.closure.of(this.states.subsets[state] as Subset, endOfValue)) {
      const position = this.automaton.positions[item];
      if (position?.kind === "holds") matching.push(position.pattern);
    }
    return sortedOnce(matching);
  }
}
