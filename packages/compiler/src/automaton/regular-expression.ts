import { matchFirstByte, matchLastByte } from "@keelson/bpf";
import { RE2JS } from "re2js";
import { Unfit } from "./bounds.ts";
import { anyByte, emptyWidth, type Nondeterministic, type Ranges } from "./nondeterministic.ts";

/** Operations of a compiled expression, as RE2 (and Go's regexp/syntax) number them. */
const operation = {
  alternative: 1,
  alternativeMatch: 2,
  capture: 3,
  emptyWidth: 4,
  fail: 5,
  match: 6,
  nothing: 7,
  rune: 8,
  rune1: 9,
  runeAny: 10,
  runeAnyNotNewline: 11,
} as const;

interface Instruction {
  readonly op: number;
  readonly out: number;
  readonly arg: number;
  readonly runes: Int32Array;
}

const foldsCase = 1;
/** Lines are texts: a strict head has no line end inside a value. */
const lineFlags = 1 | 2;

/**
 * Adds an expression that must match the whole value (https://github.com/google/re2/wiki/Syntax), as Envoy has it.
 * @returns where it begins
 * @throws Unfit for what this reader does not know
 */
export function addRegularExpression(automaton: Nondeterministic, text: string, next: number): number {
  return addCompiled(automaton, RE2JS.compile(text), next);
}

/** The same for one that is compiled. @throws Unfit */
export function addCompiled(automaton: Nondeterministic, expression: RE2JS, next: number): number {
  const program = expression.re2().prog as { inst: readonly Instruction[]; start: number };
  const places = program.inst.map(() => automaton.reserve());
  const placeOf = (index: number): number => places[index] ?? next;
  for (const [index, instruction] of program.inst.entries()) {
    addInstruction(automaton, instruction, placeOf(index), placeOf, next);
  }
  return placeOf(program.start);
}

function addInstruction(
  automaton: Nondeterministic,
  { op, out, arg, runes }: Instruction,
  place: number,
  placeOf: (index: number) => number,
  end: number,
): void {
  const put = (position: (typeof automaton.positions)[number]): void => {
    automaton.positions[place] = position;
  };
  switch (op) {
    case operation.alternative:
    case operation.alternativeMatch:
      return put({ kind: "split", next: [placeOf(out), placeOf(arg)] });
    case operation.capture:
    case operation.nothing:
      return put({ kind: "split", next: [placeOf(out)] });
    case operation.fail:
      return;
    case operation.match:
      return put({ kind: "split", next: [end] });
    case operation.emptyWidth: {
      if ((arg & (emptyWidth.wordBoundary | emptyWidth.noWordBoundary)) !== 0) automaton.looksAtWords = true;
      const flags = (arg & ~lineFlags) | ((arg & lineFlags) << 2);
      return put({ kind: "assert", flags, next: placeOf(out) });
    }
    case operation.rune:
    case operation.rune1:
      return put({ kind: "bytes", ranges: rangesOf(runes, arg), next: placeOf(out) });
    case operation.runeAny:
    case operation.runeAnyNotNewline:
      return put({ kind: "bytes", ranges: anyByte, next: placeOf(out) });
    default:
      throw new Unfit(`has a regular expression with an operation of its own (${op})`);
  }
}

/** Shared: most positions are of one byte. */
const rangesOfByte: readonly Ranges[] = Array.from({ length: matchLastByte + 1 }, (_, byte) =>
  byte < matchFirstByte ? [] : [[byte, byte]],
);

/** A single rune, or pairs of first and last; of one alone, both cases may be meant. */
function rangesOf(runes: Int32Array, arg: number): Ranges {
  const [only] = runes;
  if (runes.length === 1 && only !== undefined) {
    if ((arg & foldsCase) === 0 || !isLetter(only)) return rangesOfByte[only] ?? [];
    return [only | 0x20, only & ~0x20].flatMap((rune) => rangesOfByte[rune] ?? []);
  }
  const pairs: [number, number][] = [];
  for (let index = 0; index + 1 < runes.length; index += 2) {
    pairs.push([runes[index] ?? 0, runes[index + 1] ?? 0]);
  }
  return clip(pairs);
}

const isLetter = (rune: number): boolean => {
  const lower = rune | 0x20;
  return rune < 0x80 && lower >= 0x61 && lower <= 0x7a;
};

/** Only what a strict head may hold. */
const clip = (ranges: Ranges): Ranges =>
  ranges
    .map(([first, last]) => [Math.max(first, matchFirstByte), Math.min(last, matchLastByte)] as const)
    .filter(([first, last]) => first <= last);
