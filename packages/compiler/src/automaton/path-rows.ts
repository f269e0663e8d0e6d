import type { Actions } from "./actions.ts";
import { type State, startState, stateAfter } from "./deterministic.ts";
import type { Rows, Target } from "./rows.ts";

export interface PathParts {
  readonly rows: Rows;
  readonly actions: Actions;
  /** Of the rules' patterns for paths. */
  readonly states: readonly State[];
  /** Whether paths that the relay would write in another way are left to it. */
  readonly mindsForm: boolean;
  /** Where a path leads that ends in this state, before the space and before a query. */
  end(state: number): Target;
  beforeQuery(state: number): Target;
}

/** What the last bytes were, as far as it says whether the path is in its normal form (RFC 3986 section 6.2.2). */
const form = { plain: 0, slash: 1, dot: 2, dots: 3 } as const;
type Form = (typeof form)[keyof typeof form];

const code = (character: string): number => character.charCodeAt(0);
/** Escapes, what stands for another character or is escaped itself, and what some servers take for the end of a segment. */
const never = new Set(["%", "\\", ";", '"', "<", ">", "^", "`", "{", "|", "}"].map(code));

/**
 * Rows for paths: the patterns' states, each with what the last bytes were. Paths that a normaliser would change ("//",
 * "/./", "/../", percent-encoding, what must be encoded) are not for the kernel where requests are carried by rules, whatever
 * these look at: it has no normaliser, and endpoints get such paths as the relay writes them.
 */
export class PathRows {
  private readonly parts: PathParts;
  private readonly known = new Map<number, number>();
  private readonly open: [state: number, form: Form, row: number][] = [];

  constructor(parts: PathParts) {
    this.parts = parts;
  }

  /** The row behind the slash that every path begins with. */
  first(): number {
    const row = this.rowOf(
      stateAfter(this.parts.states, startState, code("/")),
      this.parts.mindsForm ? form.slash : form.plain,
    );
    for (let next = this.open.pop(); next !== undefined; next = this.open.pop()) this.expand(...next);
    return row;
  }

  private rowOf(state: number, last: Form): number {
    const key = 4 * state + last;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const row = this.parts.rows.add();
    this.known.set(key, row);
    this.open.push([state, last, row]);
    return row;
  }

  private expand(state: number, last: Form, row: number): void {
    const { rows, actions, states } = this.parts;
    const otherwise = this.rowOf(states[state]?.otherwise ?? 0, form.plain);
    rows.setOtherwise(row, { row: otherwise });
    for (const byte of this.bytesApart(state)) {
      const target = this.target(state, last, byte);
      if (!("row" in target) || target.row !== otherwise) rows.set(row, byte, target);
    }
    const isWhole = last !== form.dot && last !== form.dots;
    const wrong = actions.relay("pathForm");
    rows.set(row, code(" "), isWhole ? this.parts.end(state) : wrong);
    rows.set(row, code("?"), isWhole ? this.parts.beforeQuery(state) : wrong);
    rows.set(row, code("#"), actions.relay("target"));
  }

  /** Bytes that may lead elsewhere than the others. */
  private bytesApart(state: number): Set<number> {
    const bytes = new Set(this.parts.states[state]?.next.keys() ?? []);
    if (this.parts.mindsForm) for (const byte of [...never, code("/"), code(".")]) bytes.add(byte);
    for (const byte of [" ", "?", "#"]) bytes.delete(code(byte));
    return bytes;
  }

  private target(state: number, last: Form, byte: number): Target {
    const next = this.parts.mindsForm ? formAfter(last, byte) : form.plain;
    if (next === undefined) return this.parts.actions.relay("pathForm");
    return { row: this.rowOf(stateAfter(this.parts.states, state, byte), next) };
  }
}

/** Undefined: the path is not in its normal form. */
function formAfter(last: Form, byte: number): Form | undefined {
  if (never.has(byte)) return undefined;
  if (byte === code("/")) return last === form.plain ? form.slash : undefined;
  if (byte !== code(".")) return form.plain;
  if (last === form.slash) return form.dot;
  return last === form.dot ? form.dots : form.plain;
}
