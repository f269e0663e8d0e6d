import type { Budgets } from "./bounds.ts";
import { type Clause, type Demand, type Part, part } from "./clauses.ts";
import type { Scanner } from "./outcomes.ts";

/** What is known of a request: the clauses that may still hold, and what they still ask. */
export interface Context {
  /** By part: where its outcomes lead. Parts that are absent lead nowhere else. */
  readonly steps: ReadonlyMap<number, Steps>;
  /** The rule that counts if the head ends here; undefined: none. */
  readonly rule: number | undefined;
}

export interface Steps {
  /** By outcome, but for those that lead where all others do. */
  readonly special: ReadonlyMap<number, number>;
  readonly otherwise: number;
}

/** A clause and the parts that it still asks, in the order of rules. */
interface Open {
  readonly clause: number;
  /** Bits by number of the part. */
  readonly asks: number;
}

/** How a part's patterns stand: in a value, or without one. */
interface Standing {
  readonly isThere: boolean;
  readonly holding: ReadonlySet<number>;
}

/**
 * The contexts of a request, the first one before anything is known. A context is what is left of the rules, so that two
 * ways to know as much are one; the first rule that holds whatever comes makes those after it moot.
 * @throws Unfit where there are too many
 */
export function contextsOf(
  clauses: readonly Clause[],
  parts: readonly Part[],
  scanners: readonly Scanner[],
  budgets: Budgets,
): Context[] {
  return new ContextSpace(clauses, parts, scanners, budgets).run();
}

class ContextSpace {
  private readonly clauses: readonly Clause[];
  private readonly outcomes: readonly (readonly ReadonlySet<number>[])[];
  /** By part and pattern: the outcomes in which it holds. */
  private readonly outcomesWith: readonly ReadonlyMap<number, readonly number[]>[];
  private readonly absent: readonly Standing[];
  private readonly budgets: Budgets;
  private readonly known = new Map<string, number>();
  private readonly found: (readonly Open[])[] = [];

  constructor(
    clauses: readonly Clause[],
    parts: readonly Part[],
    scanners: readonly Scanner[],
    budgets: Budgets,
  ) {
    this.clauses = clauses;
    this.outcomes = scanners.map(({ outcomes }) => outcomes.map((holding) => new Set(holding)));
    this.outcomesWith = scanners.map(({ outcomes }) => byPattern(outcomes));
    this.absent = parts.map((one, number) => ({
      isThere: false,
      holding: ofEmptyValue(one, scanners[number]),
    }));
    this.budgets = budgets;
  }

  run(): Context[] {
    const all = this.clauses.map(({ demands }, clause) => ({
      clause,
      asks: [...demands.keys()].reduce((bits, number) => bits | (1 << number), 0),
    }));
    this.contextOf(upToCertain(all));
    const contexts: Context[] = [];
    for (let index = 0; index < this.found.length; index++) {
      contexts.push(this.expand(this.found[index] ?? []));
    }
    return contexts;
  }

  private contextOf(open: readonly Open[]): number {
    const key = open.map(({ clause, asks }) => `${clause}:${asks}`).join();
    const known = this.known.get(key);
    if (known !== undefined) return known;
    this.budgets.contexts.spend();
    const number = this.found.push(open) - 1;
    this.known.set(key, number);
    return number;
  }

  private expand(open: readonly Open[]): Context {
    const steps = new Map<number, Steps>();
    for (const number of partsNext(open)) steps.set(number, this.stepsAt(open, number));
    return { steps, rule: this.ruleWithoutMore(open) };
  }

  private stepsAt(open: readonly Open[], number: number): Steps {
    const index = new OpenClauses(open, number, (clause) => this.demand(clause, number));
    const nothingHolds = { isThere: true, holding: new Set<number>() };
    const otherwise = this.after(index, number, nothingHolds);
    const special = new Map<number, number>();
    for (const pattern of index.patterns) {
      for (const outcome of this.outcomesWith[number]?.get(pattern) ?? []) {
        if (special.has(outcome)) continue;
        const holding = this.outcomes[number]?.[outcome] ?? new Set();
        special.set(outcome, this.after(index, number, { isThere: true, holding }));
      }
    }
    return { special: new Map([...special].filter(([, target]) => target !== otherwise)), otherwise };
  }

  /** The context once a part's value is known. */
  private after(index: OpenClauses, number: number, standing: Standing): number {
    const left: Open[] = [];
    for (const one of index.candidates(standing.holding)) {
      this.budgets.work.spend();
      if ((one.asks & (1 << number)) === 0) left.push(one);
      else if (isMet(this.demand(one.clause, number), standing)) {
        left.push({ clause: one.clause, asks: one.asks & ~(1 << number) });
      }
    }
    return this.contextOf(upToCertain(left));
  }

  /** The first rule whose demands are met by the absence of all parts that it still asks. */
  private ruleWithoutMore(open: readonly Open[]): number | undefined {
    const first = open.find(({ clause, asks }) =>
      partsIn(asks).every((number) =>
        isMet(this.demand(clause, number), this.absent[number] ?? { isThere: false, holding: new Set() }),
      ),
    );
    return first && this.clauses[first.clause]?.rule;
  }

  private demand(clause: number, number: number): Demand {
    return this.clauses[clause]?.demands.get(number) ?? { holds: [], fails: [] };
  }
}

/** The clauses of one context, found by the pattern that they ask of one part. */
class OpenClauses {
  /** Patterns of the part that some clause looks at. */
  readonly patterns = new Set<number>();
  private readonly byPattern = new Map<number, [number, Open][]>();
  private readonly always: [number, Open][] = [];

  constructor(open: readonly Open[], number: number, demandOf: (clause: number) => Demand) {
    for (const [place, one] of open.entries()) {
      if ((one.asks & (1 << number)) === 0) {
        this.always.push([place, one]);
        continue;
      }
      const { holds, fails } = demandOf(one.clause);
      for (const pattern of [...holds, ...fails]) this.patterns.add(pattern);
      const [first] = holds;
      if (first === undefined) this.always.push([place, one]);
      else if (this.byPattern.get(first)?.push([place, one]) === undefined) {
        this.byPattern.set(first, [[place, one]]);
      }
    }
  }

  /** Those that may be met where these patterns hold, in order. */
  candidates(holding: ReadonlySet<number>): Open[] {
    const found = [...this.always];
    for (const pattern of holding) found.push(...(this.byPattern.get(pattern) ?? []));
    return found.sort(([a], [b]) => a - b).map(([, one]) => one);
  }
}

function isMet({ holds, fails }: Demand, { isThere, holding }: Standing): boolean {
  if (!isThere && holds.length > 0) return false;
  return holds.every((pattern) => holding.has(pattern)) && !fails.some((pattern) => holding.has(pattern));
}

/** The method comes first, then the path, then headers in any order. */
function partsNext(open: readonly Open[]): readonly number[] {
  const asked = partsIn(open.reduce((bits, { asks }) => bits | asks, 0));
  for (const first of [part.method, part.path]) if (asked.includes(first)) return [first];
  return asked;
}

function partsIn(bits: number): number[] {
  const numbers: number[] = [];
  for (let number = 0; bits >>> number !== 0; number++) {
    if (((bits >>> number) & 1) !== 0) numbers.push(number);
  }
  return numbers;
}

/** Without those after one that asks nothing more. */
function upToCertain(open: readonly Open[]): readonly Open[] {
  const certain = open.findIndex(({ asks }) => asks === 0);
  return certain === -1 ? open : open.slice(0, certain + 1);
}

function byPattern(outcomes: readonly (readonly number[])[]): ReadonlyMap<number, readonly number[]> {
  const found = new Map<number, number[]>();
  for (const [outcome, holding] of outcomes.entries()) {
    for (const pattern of holding) {
      const list = found.get(pattern);
      if (list === undefined) found.set(pattern, [outcome]);
      else list.push(outcome);
    }
  }
  return found;
}

/** "Not this value" takes a header that is absent for an empty one; "not there" does not. */
function ofEmptyValue({ patterns }: Part, scanner: Scanner | undefined): ReadonlySet<number> {
  const outcome = scanner?.outcomeOf[1] ?? 0;
  const holding = scanner?.outcomes[outcome] ?? [];
  return new Set(holding.filter((pattern) => patterns[pattern]?.value !== undefined));
}
