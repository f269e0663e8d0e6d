import { matchEndOfHead, matchFlag, smallTable } from "@keelson/bpf";
import { Actions } from "./actions.ts";
import { Budgets, defaultBounds } from "./bounds.ts";
import { newPart, type Part, part } from "./clauses.ts";
import { addFallbacks } from "./fallbacks.ts";
import { code, HeadLines, type HeadParts, type RelayedHeaders } from "./head-lines.ts";
import { type MatchAutomaton, symbolOfPart } from "./match-automaton.ts";
import { scannerOf } from "./outcomes.ts";
import { shapes } from "./request-head.ts";
import { pack, Rows, type Target } from "./rows.ts";

/** Takes the number of the method, which no answer has; the others are a request's. */
const status = part.method;
const parts: readonly Part[] = [":status", ":path", ":host", "content-length", "connection"].map(newPart);

/** RFC 9110 sections 7.6, 7.8, RFC 9112 section 6; `Keep-Alive` says nothing that the caller's hop must not hear. */
const relayed: RelayedHeaders = { names: ["transfer-encoding", "upgrade", "trailer"], prefix: "proxy-" };

const horizontalTab = 9;

/**
 * The table by which the kernel reads the head of an answer, as strict as a request's: no status but 100 to 599, a length
 * of at most 9 digits, a connection that stays.
 */
export function answerAutomaton(): MatchAutomaton {
  const budgets = new Budgets({ ...defaultBounds, entries: smallTable });
  const scanners = parts.map((one, number) => scannerOf(one, budgets, shapes.get(number)));
  const actions = new Actions();
  const rows = new Rows(actions.relay("byte"));
  const start = answerHead(rows, actions, { parts, scanners, shapes, symbolOf: symbolOfPart });
  addFallbacks(rows);
  const context = rows.add();
  rows.setOtherwise(context, { row: context });
  rows.set(context, matchEndOfHead, { found: 0 });
  const { entries, places, used } = pack(rows.rows, actions.actions, budgets.entries);
  return {
    entries,
    start: places[start] ?? 0,
    context: places[context] ?? 0,
    size: { entries: used, contexts: 1, bytes: entries.byteLength },
  };
}

/** @param seen of a scan that has ended */
export const answerSaysLength = (seen: number): boolean => (seen & (1 << part.contentLength)) !== 0;

/** Lays the grammar of an answer's strict head (RFC 9112 sections 4 and 5) into rows; the one where it begins. */
function answerHead(rows: Rows, actions: Actions, head: HeadParts): number {
  const lines = new HeadLines(rows, actions, head);
  const reason = rows.add();
  rows.setOtherwise(reason, { row: reason });
  rows.set(reason, horizontalTab, { row: reason });
  lines.endLine(reason, lines.start(relayed, matchFlag.isAnswer.value));
  const digits = statusRows(rows, lines.step(status, 0, reason, matchFlag.isStatus.value));
  const space = actions.target({ kind: "enter", part: status, resume: digits });
  return lines.words("HTTP/1.1 ", space, "version");
}

/** Rows for a status and the space behind it; the first of them. */
function statusRows(rows: Rows, then: Target): number {
  const [first, second, third, end] = [rows.add(), rows.add(), rows.add(), rows.add()];
  for (const digit of "12345") rows.set(first, code(digit), { row: second });
  for (const digit of "0123456789") {
    rows.set(second, code(digit), { row: third });
    rows.set(third, code(digit), { row: end });
  }
  rows.set(end, code(" "), then);
  return first;
}
