import type { Budgets } from "./bounds.ts";
import type { Part, Pattern } from "./clauses.ts";
import { determinise, type State } from "./deterministic.ts";
import { Nondeterministic } from "./nondeterministic.ts";
import { addRegularExpression } from "./regular-expression.ts";

/** A part's automaton over its bytes, and what can come out of it. */
export interface Scanner {
  readonly states: readonly State[];
  /** By state: number of the outcome if the value ends there. */
  readonly outcomeOf: readonly number[];
  /** By outcome: the patterns that hold. Outcome 0: none of them. */
  readonly outcomes: readonly (readonly number[])[];
}

/**
 * @param shape a regular expression that the value has anyway, or the head is not for the kernel; its number is the one
 * after the patterns'
 * @throws Unfit
 */
export function scannerOf(part: Part, budgets: Budgets, shape?: string): Scanner {
  const automaton = new Nondeterministic(budgets.positions);
  for (const [number, pattern] of part.patterns.entries()) {
    automaton.addPattern(number, (end) => addPattern(automaton, pattern, end));
  }
  if (shape !== undefined) {
    automaton.addPattern(part.patterns.length, (end) => addRegularExpression(automaton, shape, end));
  }
  return withOutcomes(determinise(automaton, part, budgets));
}

function addPattern(
  automaton: Nondeterministic,
  { value, ignoreCase, wholeSegments }: Pattern,
  end: number,
): number {
  switch (value?.case) {
    case "exact":
      return automaton.literal(value.value, end, ignoreCase);
    case "prefix": {
      if (!wholeSegments) return automaton.literal(value.value, automaton.anything(end), ignoreCase);
      const deeper = automaton.literal("/", automaton.anything(end));
      return automaton.literal(
        value.value,
        automaton.add({ kind: "split", next: [deeper, end] }),
        ignoreCase,
      );
    }
    case "regex":
      return addRegularExpression(automaton, value.value, end);
    default:
      return automaton.anything(end);
  }
}

function withOutcomes(states: readonly State[]): Scanner {
  const numbers = new Map<string, number>([["", 0]]);
  const outcomes: (readonly number[])[] = [[]];
  const outcomeOf = states.map(({ holding }) => {
    const key = holding.join();
    const known = numbers.get(key);
    if (known !== undefined) return known;
    const number = outcomes.push(holding) - 1;
    numbers.set(key, number);
    return number;
  });
  return { states, outcomeOf, outcomes };
}
