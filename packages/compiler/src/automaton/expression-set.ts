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
  /** Positions looked at to find the steps of one text that are not known yet; some 50 to 100 ns each. */
  readonly looks: number;
}

const defaultBounds: ExpressionBounds = {
  positions: 1_000_000,
  items: 1_000_000,
  steps: 500_000,
  looks: 200_000,
};
/** What is left of the looks, at least, after texts for which they were not enough. */
const leastShare = 1 / 4;

/** Only visible bytes of ASCII and the space are looked at. */
const readable = /^[\x20-\x7e]*$/;

/**
 * Tells which of many regular expressions (RE2) match a text, in one pass over it: what that costs depends on the text, not on
 * how many there are. The automaton is made as texts come (as RE2 does it): a state, once met, is remembered, and all are
 * forgotten when they take too much room. No text can make it work for long: one that leads to too many new states is not told
 * of, and what was found for it is there for the next.
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
  private totalLooks = 0;
  /**
   * Looks that the next text may take: half of it after a text for which it was not enough, twice after one for which it was.
   * Where expressions meet in too many ways to remember them, little is wasted on trying; and whoever sends texts that lead
   * nowhere cannot take from others what is needed to find their few steps.
   */
  private allowance: number;
  private readonly bounds: ExpressionBounds;

  constructor(expressions: readonly RE2JS[], bounds: ExpressionBounds = defaultBounds) {
    this.bounds = bounds;
    this.allowance = bounds.looks;
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

  /** Positions looked at so far: what the work that goes beyond look-ups is measured by. */
  get looks(): number {
    return this.totalLooks;
  }

  /** Positions in all states that are remembered; never more than the bound and one state. */
  get remembered(): number {
    return this.items;
  }

  /**
   * Numbers of the expressions that match the whole text, in order, without those that are unfit.
   * @param mostLooks what is taken from a limit of the caller's own; 0: only what is known is told
   * @returns undefined: they are all to be asked by themselves. So it is with a text that has other bytes than visible ones of
   * ASCII and the space, and with one that needs more steps not known yet than can be found, or remembered, for one text
   */
  matching(text: string, mostLooks = Number.POSITIVE_INFINITY): readonly number[] | undefined {
    if (!readable.test(text)) return undefined;
    if (this.isFull()) this.forget();
    const { looks } = this.bounds;
    const found = this.find(text, this.totalLooks + Math.min(this.allowance, mostLooks));
    if (found === undefined) this.allowance = Math.max(this.allowance / 2, looks * leastShare);
    else this.allowance = Math.min(this.allowance * 2, looks);
    return found;
  }

  /** @param lastLook nothing is begun behind it; what is begun before it is brought to its end, so that each text leads on */
  private find(text: string, lastLook: number): readonly number[] | undefined {
    let state = 0;
    for (let at = 0; at < text.length; at++) {
      const byte = text.charCodeAt(at);
      const known = this.steps.get(state, byte);
      if (known === undefined && (this.totalLooks >= lastLook || this.isFull())) return undefined;
      state = known ?? this.step(state, byte);
    }
    if (this.matchingIn[state] === undefined && this.totalLooks >= lastLook) return undefined;
    return (this.matchingIn[state] ??= this.matchingAt(state));
  }

  private isFull(): boolean {
    return this.items > this.bounds.items || this.steps.size > this.bounds.steps;
  }

  private forget(): void {
    this.states = new SubsetNumbers();
    this.steps = new Steps();
    this.matchingIn = [];
    this.items = 0;
    this.stateOf({ items: this.automaton.starts, before: before.nothing });
  }

  private step(from: number, byte: number): number {
    const next: number[] = [];
    for (const item of this.look(from, byte)) {
      const position = this.automaton.positions[item];
      if (position?.kind !== "bytes") continue;
      if (position.ranges.some(([first, last]) => byte >= first && byte <= last)) next.push(position.next);
    }
    const to = this.stateOf({ items: sortedOnce(next), before: kindOf(this.automaton, byte) });
    this.steps.add(from, byte, to);
    return to;
  }

  private look(state: number, next: number): readonly number[] {
    const reached = this.closure.of(this.states.subsets[state] as Subset, next);
    this.totalLooks += reached.length + 1;
    return reached;
  }

  private stateOf(subset: Subset): number {
    const known = this.states.known(subset);
    if (known !== undefined) return known;
    this.items += subset.items.length;
    return this.states.add(subset);
  }

  private matchingAt(state: number): readonly number[] {
    const matching: number[] = [];
    for (const item of this.look(state, endOfValue)) {
      const position = this.automaton.positions[item];
      if (position?.kind === "holds") matching.push(position.pattern);
    }
    return sortedOnce(matching);
  }
}
