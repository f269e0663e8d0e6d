import { largeTable } from "@keelson/bpf";

/** What a match automaton may grow to; what would be larger is the relay's. */
export interface Bounds {
  /** Positions in the patterns of all rules: characters, and instructions of regular expressions. */
  readonly positions: number;
  /** States in which the scan of a path or of a header's value can be. */
  readonly states: number;
  /** What may be known of a request after some of its parts: combinations that lead to different rules. */
  readonly contexts: number;
  /** Steps of the work to build it; bounds the time a hostile rule can take. */
  readonly work: number;
  /** Headers that rules look at, at most 27: the kernel keeps a bit of 32 for each part. */
  readonly headers: number;
  /** Entries of the table, 8 bytes each. */
  readonly entries: number;
}

export const defaultBounds: Bounds = {
  positions: 500_000,
  states: 250_000,
  contexts: 100_000,
  work: 10_000_000,
  headers: 24,
  entries: largeTable,
};

/** Thrown where rules cannot become an automaton; the message says which bound they exceed, or what they ask for. */
export class Unfit extends Error {
  override readonly name = "Unfit";
}

/** Counts against a bound. */
export class Budget {
  private used = 0;
  private readonly what: string;
  private readonly limit: number;

  constructor(what: string, limit: number) {
    this.what = what;
    this.limit = limit;
  }

  /** @throws Unfit when the bound is exceeded */
  spend(amount = 1): void {
    this.used += amount;
    if (this.used > this.limit) throw new Unfit(`needs more than ${this.limit} ${this.what}`);
  }
}

/** What one automaton may use, of all its parts together. */
export class Budgets {
  readonly positions: Budget;
  readonly states: Budget;
  readonly contexts: Budget;
  readonly work: Budget;
  readonly entries: Budget;

  constructor({ positions, states, contexts, work, entries }: Bounds) {
    this.positions = new Budget("positions in patterns", positions);
    this.states = new Budget("states", states);
    this.contexts = new Budget("combinations of what is known of a request", contexts);
    this.work = new Budget("steps to build", work);
    this.entries = new Budget("entries in its table", entries);
  }
}
