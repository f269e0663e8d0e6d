import { matchFlag } from "@keelson/bpf";
import type { Actions, RelayReason } from "./actions.ts";
import { type Part, part } from "./clauses.ts";
import { startState } from "./deterministic.ts";
import { HeaderNames } from "./header-names.ts";
import type { Scanner } from "./outcomes.ts";
import type { Rows, Target } from "./rows.ts";

const carriageReturn = 13;
const lineFeed = 10;

export const code = (character: string): number => character.charCodeAt(0);

export interface HeadParts {
  readonly parts: readonly Part[];
  readonly scanners: readonly Scanner[];
  /** By part: a regular expression that its value has, or the head is not for the kernel. */
  readonly shapes: ReadonlyMap<number, string>;
  /** The symbol by which contexts know an outcome of a part. */
  symbolOf(part: number, outcome: number): number;
}

/** Headers that make a head the relay's, whatever their value. */
export interface RelayedHeaders {
  /** In lower case. */
  readonly names: readonly string[];
  /** What the names of others begin with. */
  readonly prefix: string;
}

/** Lays the lines of a strict head (RFC 9112 section 5, without what may be read in two ways) into rows. */
export class HeadLines {
  private readonly rows: Rows;
  private readonly actions: Actions;
  private readonly head: HeadParts;

  constructor(rows: Rows, actions: Actions, head: HeadParts) {
    this.rows = rows;
    this.actions = actions;
    this.head = head;
  }

  /**
   * @param flags of the action that ends the head
   * @returns the row where a header's line, or the end of the head, begins
   */
  start(relayed: RelayedHeaders, flags = 0): number {
    const start = this.rows.add();
    const end = this.rows.add();
    this.rows.set(end, lineFeed, this.actions.target({ kind: "finish", flags }));
    const next = this.lineFeedBefore(start);
    const skipped = this.rows.add();
    this.rows.setOtherwise(skipped, { row: skipped });
    this.rows.set(skipped, carriageReturn, { row: next });
    const names = new HeaderNames(this.rows, this.actions, { row: skipped });
    for (const name of relayed.names) names.add(name, this.actions.relay("framing"));
    names.addPrefix(relayed.prefix, this.actions.relay("framing"));
    for (const [number, { name }] of this.head.parts.entries()) {
      if (name.startsWith(":") || names.isRelayed(name)) continue;
      const value = this.value(number, next);
      names.add(name, this.actions.target({ kind: "enter", part: number, resume: value }));
    }
    names.build(start);
    this.rows.set(start, carriageReturn, { row: end });
    return start;
  }

  /** What is to be done where a part's value ends in this state of its scanner. */
  step(number: number, state: number, resume: number, flags = 0): Target {
    const outcome = this.head.scanners[number]?.outcomeOf[state] ?? 0;
    const symbol = this.head.symbolOf(number, outcome);
    return this.actions.target({ kind: "step", flags, symbol, part: number, resume });
  }

  /** Rows for bytes that must come just so; the first of them. */
  words(text: string, then: Target, reason: RelayReason): number {
    const wrong = this.actions.relay(reason);
    const target = text.split("").reduceRight<Target>((after, character) => {
      const row = this.rows.add(wrong);
      this.rows.set(row, code(character), after);
      return { row };
    }, then);
    return "row" in target ? target.row : 0;
  }

  /** A row for the end of a line, before the row `next`. */
  lineEnd(next: number): number {
    const row = this.rows.add();
    this.endLine(row, next);
    return row;
  }

  /** The line may end in this row. */
  endLine(row: number, next: number): void {
    this.rows.set(row, carriageReturn, { row: this.lineFeedBefore(next) });
  }

  /** Rows for the value of a header that is looked at; spaces before it do not belong to it. */
  private value(number: number, next: number): number {
    const scanner = this.head.scanners[number];
    const states = scanner?.states ?? [];
    const rowOf = states.map(() => this.rows.add());
    const flags =
      matchFlag.isHeaderValue.value | (number === part.contentLength ? matchFlag.isContentLength.value : 0);
    for (const [state, { next: transitions, otherwise }] of states.entries()) {
      const row = rowOf[state] ?? 0;
      this.rows.setOtherwise(row, { row: rowOf[otherwise] ?? 0 });
      for (const [byte, target] of transitions) this.rows.set(row, byte, { row: rowOf[target] ?? 0 });
      this.rows.set(row, carriageReturn, this.endOfValue(number, state, next, flags));
    }
    const start = rowOf[startState] ?? 0;
    this.rows.set(start, code(" "), { row: start });
    return start;
  }

  private endOfValue(number: number, state: number, next: number, flags: number): Target {
    if (this.head.shapes.has(number) && !this.hasShape(number, state)) {
      return this.actions.relay("valueForm");
    }
    return this.step(number, state, next, flags);
  }

  private hasShape(number: number, state: number): boolean {
    const scanner = this.head.scanners[number];
    const holding = scanner?.outcomes[scanner.outcomeOf[state] ?? 0] ?? [];
    return holding.includes(this.head.parts[number]?.patterns.length ?? 0);
  }

  private lineFeedBefore(next: number): number {
    const row = this.rows.add();
    this.rows.set(row, lineFeed, { row: next });
    return row;
  }
}
