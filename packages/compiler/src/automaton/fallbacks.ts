import { matchFirstByte } from "@keelson/bpf";
import { isSameTarget, type Row, type Rows, type Target } from "./rows.ts";

/**
 * Lets rows fall back to another one for all that they have no entry of their own for (as in delayed-input automata, Kumar et al.,
 * SIGCOMM 2006), where this takes fewer entries. Most rows say the same of most bytes: that no rule holds any more, and which
 * bytes end the text or have no place in it. Without this, tables of many rules would be many times as large, and not fit into
 * a CPU's caches.
 *
 * A row falls back only to one that its default leads to, and that one's default leads back to itself, so no reader ever
 * follows more than one fallback. Only for rows that are read by bytes.
 */
export function addFallbacks({ rows, nowhere }: Rows): void {
  for (const [index, row] of rows.entries()) {
    const like = settledRowBehind(rows, index);
    if (like === undefined) continue;
    const entries = entriesApart(row, rows[like] as Row, { usual: { row: like }, nowhere });
    if (entries.size < row.entries.size) rows[index] = { entries, otherwise: { like } };
  }
}

/** Another row that the default leads to, and that leads back to itself by its own. */
function settledRowBehind(rows: readonly Row[], index: number): number | undefined {
  const next = rows[index]?.otherwise;
  if (next === undefined || !("row" in next) || next.row === index) return undefined;
  const behind = rows[next.row]?.otherwise;
  return behind !== undefined && "row" in behind && behind.row === next.row ? next.row : undefined;
}

/** What a row does in another way than the one that it falls back to. */
function entriesApart(
  row: Row,
  like: Row,
  { usual, nowhere }: { readonly usual: Target; readonly nowhere: Target },
): Map<number, Target> {
  const apart = new Map<number, Target>();
  for (const [symbol, target] of row.entries) {
    // A default is that of text only.
    const behind = like.entries.get(symbol) ?? (symbol < matchFirstByte ? nowhere : usual);
    if (!isSameTarget(target, behind)) apart.set(symbol, target);
  }
  for (const symbol of like.entries.keys()) {
    if (!row.entries.has(symbol)) apart.set(symbol, symbol < matchFirstByte ? nowhere : usual);
  }
  return apart;
}
