import { matchFirstByte, matchLastByte } from "@keelson/bpf";
import type { Budget } from "./bounds.ts";

/** Conditions on the place between two characters, as flags; values are RE2's own. */
export const emptyWidth = { beginText: 4, endText: 8, wordBoundary: 16, noWordBoundary: 32 } as const;

/** Inclusive ranges of bytes. */
export type Ranges = readonly (readonly [number, number])[];

export type Position =
  | { readonly kind: "bytes"; readonly ranges: Ranges; readonly next: number }
  | { readonly kind: "split"; readonly next: readonly number[] }
  | { readonly kind: "assert"; readonly flags: number; readonly next: number }
  /** The pattern holds, if the value ends here. */
  | { readonly kind: "holds"; readonly pattern: number };

/** The bytes that a strict head may have: the visible ones of ASCII, and the space. */
export const anyByte: Ranges = [[matchFirstByte, matchLastByte]];

const wordBytes = new Set(
  "_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".split("").map((one) => one.charCodeAt(0)),
);

/** Underscore, digits and letters, as RE2's \b has it. */
export const isWord = (byte: number): boolean => wordBytes.has(byte);

/** A nondeterministic automaton: positions that a scan may be at, many at once. */
export class Nondeterministic {
  readonly positions: Position[] = [];
  /** By position: the pattern that it belongs to. */
  readonly patternOf: number[] = [];
  readonly starts: number[] = [];
  /** Whether some pattern looks at the ends of words. */
  looksAtWords = false;
  private readonly budget: Budget;
  private pattern = 0;

  constructor(budget: Budget) {
    this.budget = budget;
  }

  /** What follows is of this pattern, and begins where `add` says; it is given the position where the pattern holds. */
  addPattern(pattern: number, add: (end: number) => number): void {
    this.pattern = pattern;
    this.starts.push(add(this.add({ kind: "holds", pattern })));
  }

  /** @throws Unfit when there are too many */
  add(position: Position): number {
    this.budget.spend();
    this.patternOf.push(this.pattern);
    return this.positions.push(position) - 1;
  }

  /** A position to be said later; for loops. */
  reserve(): number {
    return this.add({ kind: "split", next: [] });
  }

  /** Bytes one after another, then `next`; returns where it begins. */
  literal(text: string, next: number, ignoreCase = false): number {
    return text
      .split("")
      .reduceRight(
        (after, character) => this.add({ kind: "bytes", ranges: byteOf(character, ignoreCase), next: after }),
        next,
      );
  }

  /** Any bytes, none included, then `next`. */
  anything(next: number): number {
    const loop = this.reserve();
    const step = this.add({ kind: "bytes", ranges: anyByte, next: loop });
    this.positions[loop] = { kind: "split", next: [step, next] };
    return loop;
  }
}

/** No range for what a strict head cannot hold: such a pattern never holds there. */
function byteOf(character: string, ignoreCase: boolean): Ranges {
  const codes = ignoreCase ? [character.toLowerCase(), character.toUpperCase()] : [character];
  return [...new Set(codes)]
    .filter((one) => one.length === 1)
    .map((one) => one.charCodeAt(0))
    .filter((code) => code >= matchFirstByte && code <= matchLastByte)
    .map((code) => [code, code] as const);
}
