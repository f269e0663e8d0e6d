import { emptyWidth, isWord, type Nondeterministic } from "./nondeterministic.ts";

/** What stood before the place that is looked at. */
export const before = { nothing: 0, word: 1, other: 2 } as const;
export const endOfValue = -1;
/** Any byte, and the end, where no condition on words may be taken to hold. */
export const someByte = -2;
export const someEnd = -3;

/** Positions that a scan is at, all at once. */
export interface Subset {
  /** In ascending order, each once. */
  readonly items: readonly number[];
  readonly before: number;
}

/** What a byte is to the place behind it. Kept apart only where it matters, as it doubles the states. */
export const kindOf = (automaton: Nondeterministic, byte: number): number =>
  automaton.looksAtWords && isWord(byte) ? before.word : before.other;

/** Finds positions that are reached without a byte. Marks are kept from one question to the next, as asking is all that is done. */
export class Closure {
  private readonly automaton: Nondeterministic;
  /** By position: the question in which it was met last. */
  private readonly met: Uint32Array;
  private question = 0;

  /** @param automaton all of whose positions are there */
  constructor(automaton: Nondeterministic) {
    this.automaton = automaton;
    this.met = new Uint32Array(automaton.positions.length);
  }

  /**
   * Positions that wait for a byte, or hold, at this place, and those on the way to them.
   * @param next the byte that follows, or `endOfValue`
   */
  of({ items, before: previous }: Subset, next: number): number[] {
    const { positions } = this.automaton;
    const flags = flagsBetween(previous, next);
    const reached: number[] = [];
    const question = this.nextQuestion();
    const open: number[] = [];
    for (const first of items) {
      for (let item: number | undefined = first; item !== undefined; item = open.pop()) {
        if (this.met[item] === question) continue;
        this.met[item] = question;
        reached.push(item);
        const position = positions[item];
        if (position?.kind === "split") open.push(...position.next);
        else if (position?.kind === "assert" && (position.flags & ~flags) === 0) open.push(position.next);
      }
    }
    return reached;
  }

  private nextQuestion(): number {
    if (this.question === lastQuestion) {
      this.met.fill(0);
      this.question = 0;
    }
    return ++this.question;
  }
}

/** What a mark can hold. */
const lastQuestion = 2 ** 32 - 1;

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

/** Numbers in ascending order, each once: the list given, if it is so already. */
export function sortedOnce(numbers: number[]): readonly number[] {
  for (let at = 1; at < numbers.length; at++) {
    if ((numbers[at - 1] ?? 0) >= (numbers[at] ?? 0)) return [...new Set(numbers)].sort((a, b) => a - b);
  }
  return numbers;
}

/** Numbers subsets as they come, equal ones alike. */
export class SubsetNumbers {
  readonly subsets: Subset[] = [];
  private readonly byHash = new Map<number, number[]>();

  /** The number of a subset that is known; undefined: it is new. */
  known(subset: Subset): number | undefined {
    return this.byHash.get(hashOf(subset))?.find((number) => isSame(this.subsets[number], subset));
  }

  add(subset: Subset): number {
    const number = this.subsets.push(subset) - 1;
    const hash = hashOf(subset);
    if (this.byHash.get(hash)?.push(number) === undefined) this.byHash.set(hash, [number]);
    return number;
  }
}

/** FNV-1a, over numbers in place of bytes. */
function hashOf({ items, before: previous }: Subset): number {
  let hash = 0x811c9dc5 ^ previous;
  for (const item of items) hash = Math.imul(hash ^ item, 0x01000193);
  return hash;
}

function isSame(one: Subset | undefined, other: Subset): boolean {
  if (one?.items.length !== other.items.length || one.before !== other.before) return false;
  return one.items.every((item, at) => item === other.items[at]);
}
