import type { ExpressionSet } from "@keelson/compiler/automaton";
import type { RegularExpression } from "./regular-expression.ts";

/** Characters that single expressions are asked about; some 10 to 20 ns each with those that rules commonly have. */
const mostCharacters = 3_000_000;
/** At least, for each rule: however many there are, a request with a short text is not refused. */
const charactersPerRule = 300;
/** What it costs to ask at all, in characters. */
const perQuestion = 16;
/** Positions that sets look at beyond what they know; some 50 to 100 ns each. */
const mostLooks = 200_000;

/** Thrown where a request's texts are so long, and the expressions that would be asked about them so many, that all others wait. */
export class TooMuchToMatch extends Error {
  override readonly name = "TooMuchToMatch";

  constructor(limit: number) {
    super(`needs more than ${limit} characters of text to be looked at by single expressions`);
  }
}

/**
 * What regular expressions may cost one request. A caller chooses the text, and a relay looks at one request at a time: without
 * a bound, a head of 64 KiB would keep those of all others waiting for seconds where rules are many. It is counted, not timed:
 * the load of the machine has no part in what a request is answered.
 */
export class ExpressionEffort {
  private readonly limit: number;
  private characters = 0;
  private looks = 0;

  /** @param rules how many there are for the request */
  constructor(rules = 0) {
    this.limit = Math.max(mostCharacters, rules * charactersPerRule);
  }

  /** Numbers of the set's expressions that match the whole text; undefined: they are to be asked one by one. */
  matching(set: ExpressionSet, text: string): readonly number[] | undefined {
    const before = set.looks;
    const found = set.matching(text, Math.max(0, mostLooks - this.looks));
    this.looks += set.looks - before;
    return found;
  }

  /** Whether one expression matches the whole text. @throws TooMuchToMatch */
  matches(expression: RegularExpression, text: string): boolean {
    this.characters += text.length + perQuestion;
    if (this.characters > this.limit) throw new TooMuchToMatch(this.limit);
    return expression.matches(text);
  }
}
