import { stripVTControlCharacters } from "node:util";

const gap = "  ";

const width = (cell: string): number => stripVTControlCharacters(cell).length;

/**
 * Rows as lines of a table, columns left-aligned and two spaces apart, as kubectl prints them; colours take no width.
 * @param rows of equal length; the first one may be the heading
 */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => width(row[column] ?? ""))));
  return rows.map((row) =>
    row
      .map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - width(cell)))
      .join(gap)
      .trimEnd(),
  );
}

export const indent = (lines: readonly string[], by: number): string[] =>
  lines.map((line) => (line === "" ? line : " ".repeat(by) + line));
