import { matchFlag } from "@keelson/bpf";
import type { Actions, RelayReason } from "./actions.ts";
import { type Part, part } from "./clauses.ts";
import { startState, stateAfter } from "./deterministic.ts";
import { HeaderNames } from "./header-names.ts";
import type { Scanner } from "./outcomes.ts";
import { PathRows } from "./path-rows.ts";
import type { Rows, Target } from "./rows.ts";

/** Methods whose requests the kernel may carry (RFC 9110 section 9, RFC 5789); CONNECT makes a tunnel. */
export const methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"] as const;

/** What the values of framing headers look like, or the request is not for the kernel. */
export const shapes = new Map<number, string>([
  [part.host, String.raw`([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?`],
  [part.contentLength, "[0-9]{1,9}"],
  [part.connection, "(?i)keep-alive"],
]);

/** Headers that make a request the relay's, whatever their value; RFC 9110 sections 7.6, 7.8, 10.1.1, RFC 9112 section 6. */
const relayedHeaders = [
  "transfer-encoding",
  "upgrade",
  "expect",
  "te",
  "trailer",
  "keep-alive",
  "http2-settings",
];
const relayedPrefix = "proxy-";

const carriageReturn = 13;
const lineFeed = 10;
const code = (character: string): number => character.charCodeAt(0);

export interface HeadParts {
  readonly parts: readonly Part[];
  readonly scanners: readonly Scanner[];
  /** The symbol by which contexts know an outcome of a part. */
  symbolOf(part: number, outcome: number): number;
  /** Whether some rule looks at paths. */
  readonly looksAtPaths: boolean;
}

/** Lays the grammar of a strict head (RFC 9112 sections 2 to 5, without what may be read in two ways) into rows. */
export class Head {
  private readonly rows: Rows;
  private readonly actions: Actions;
  private readonly head: HeadParts;

  constructor(rows: Rows, actions: Actions, head: HeadParts) {
    this.rows = rows;
    this.actions = actions;
    this.head = head;
  }

  /** @returns the row where a head begins */
  build(): number {
    const lineStart = this.lineStart();
    const version = this.words("HTTP/1.1", { row: this.lineEnd(lineStart) }, "version");
    return this.method(this.path(version));
  }

  private method(path: number): number {
    const unknown = this.actions.relay("method");
    const start = this.rows.add(unknown);
    const states = this.head.scanners[part.method]?.states ?? [];
    for (const method of methods) {
      let row = start;
      let state = startState;
      for (const character of method) {
        state = stateAfter(states, state, code(character));
        row = this.child(row, code(character), unknown);
      }
      const flags = method === "HEAD" ? matchFlag.isHead.value : 0;
      this.rows.set(row, code(" "), this.step(part.method, state, path, flags));
    }
    return start;
  }

  private child(row: number, byte: number, otherwise: Target): number {
    const known = this.rows.rows[row]?.entries.get(byte);
    if (known !== undefined && "row" in known) return known.row;
    const child = this.rows.add(otherwise);
    this.rows.set(row, byte, { row: child });
    return child;
  }

  private path(version: number): number {
    const query = this.rows.add();
    this.rows.setOtherwise(query, { row: query });
    this.rows.set(query, code(" "), { row: version });
    this.rows.set(query, code("#"), this.actions.relay("target"));
    const start = this.rows.add(this.actions.relay("target"));
    const paths = new PathRows({
      rows: this.rows,
      actions: this.actions,
      states: this.head.scanners[part.path]?.states ?? [],
      mindsForm: this.head.looksAtPaths,
      end: (state) => this.step(part.path, state, version),
      beforeQuery: (state) => this.step(part.path, state, query),
    });
    this.rows.set(start, code("/"), { row: paths.first() });
    return start;
  }

  /** The row where a header line, or the end of the head, begins. */
  private lineStart(): number {
    const start = this.rows.add();
    const end = this.rows.add();
    this.rows.set(end, lineFeed, this.actions.target({ kind: "finish" }));
    const next = this.lineFeedBefore(start);
    const skipped = this.rows.add();
    this.rows.setOtherwise(skipped, { row: skipped });
    this.rows.set(skipped, carriageReturn, { row: next });
    const names = new HeaderNames(this.rows, this.actions, { row: skipped });
    for (const name of relayedHeaders) names.add(name, this.actions.relay("framing"));
    names.addPrefix(relayedPrefix, this.actions.relay("framing"));
    for (const [number, { name }] of this.head.parts.entries()) {
      if (name.startsWith(":") || names.isRelayed(name)) continue;
      const value = this.value(number, next);
      names.add(name, this.actions.target({ kind: "enter", part: number, resume: value }));
    }
    names.build(start);
    this.rows.set(start, carriageReturn, { row: end });
    return start;
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
    if (shapes.has(number) && !this.hasShape(number, state)) {
      return this.actions.relay("valueForm");
    }
    return this.step(number, state, next, flags);
  }

  private hasShape(number: number, state: number): boolean {
    const scanner = this.head.scanners[number];
    const holding = scanner?.outcomes[scanner.outcomeOf[state] ?? 0] ?? [];
    return holding.includes(this.head.parts[number]?.patterns.length ?? 0);
  }

  private step(number: number, state: number, resume: number, flags = 0): Target {
    const outcome = this.head.scanners[number]?.outcomeOf[state] ?? 0;
    const symbol = this.head.symbolOf(number, outcome);
    return this.actions.target({ kind: "step", flags, symbol, part: number, resume });
  }

  /** Rows for bytes that must come just so; the first of them. */
  private words(text: string, then: Target, reason: RelayReason): number {
    const wrong = this.actions.relay(reason);
    const target = text.split("").reduceRight<Target>((after, character) => {
      const row = this.rows.add(wrong);
      this.rows.set(row, code(character), after);
      return { row };
    }, then);
    return "row" in target ? target.row : 0;
  }

  private lineEnd(next: number): number {
    const row = this.rows.add();
    this.rows.set(row, carriageReturn, { row: this.lineFeedBefore(next) });
    return row;
  }

  private lineFeedBefore(next: number): number {
    const row = this.rows.add();
    this.rows.set(row, lineFeed, { row: next });
    return row;
  }
}
