import { matchFlag } from "@keelson/bpf";
import type { Actions } from "./actions.ts";
import { part } from "./clauses.ts";
import { startState, stateAfter } from "./deterministic.ts";
import { code, HeadLines, type HeadParts, type RelayedHeaders } from "./head-lines.ts";
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

/** The same where requests are counted only, on the caller's own connection: what ends it afterwards changes nothing. */
export const countedShapes = new Map([...shapes, [part.connection, "(?i)(keep-alive|close)"]]);

/** RFC 9110 sections 7.6, 7.8, 10.1.1, RFC 9112 section 6. */
const relayed: RelayedHeaders = {
  names: ["transfer-encoding", "upgrade", "expect", "te", "trailer", "keep-alive", "http2-settings"],
  prefix: "proxy-",
};

export interface RequestParts extends HeadParts {
  /** Whether requests are carried by rules, which all look at, and pass on, the normal form of paths. */
  readonly mindsPathForm: boolean;
}

/** Lays the grammar of a request's strict head (RFC 9112 sections 2 to 5) into rows. */
export class RequestHead {
  private readonly rows: Rows;
  private readonly actions: Actions;
  private readonly head: RequestParts;
  private readonly lines: HeadLines;

  constructor(rows: Rows, actions: Actions, head: RequestParts) {
    this.rows = rows;
    this.actions = actions;
    this.head = head;
    this.lines = new HeadLines(rows, actions, head);
  }

  /** @returns the row where a head begins */
  build(): number {
    const lineEnd = this.lines.lineEnd(this.lines.start(relayed));
    const version = this.lines.words("HTTP/1.1", { row: lineEnd }, "version");
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
      this.rows.set(row, code(" "), this.lines.step(part.method, state, path, flags));
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
      mindsForm: this.head.mindsPathForm,
      end: (state) => this.lines.step(part.path, state, version),
      beforeQuery: (state) => this.lines.step(part.path, state, query),
    });
    this.rows.set(start, code("/"), { row: paths.first() });
    return start;
  }
}
