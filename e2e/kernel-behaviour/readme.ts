// Writes the tables of README.md from the records: node e2e/kernel-behaviour/readme.ts
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Behaviour } from "./behaviour.ts";
import { behaviours } from "./behaviours/index.ts";
import { type KernelRecord, readRecords } from "./record.ts";

const file = join(import.meta.dirname, "README.md");
const marks = ["<!-- begin records -->\n", "<!-- end records -->"] as const;

/** The README as it should be. */
export async function freshReadme(): Promise<{ found: string; expected: string }> {
  const found = await readFile(file, "utf8");
  const [begin, end] = marks.map((mark) => found.indexOf(mark));
  if (begin === undefined || end === undefined || begin < 0 || end < begin)
    throw new Error(`${file}: expected "${marks.join('" and "')}", in this order`);
  const records = await readRecords();
  const sections = behaviours.map((behaviour) => section(behaviour, records));
  const text = [kernels(records), summary(records), ...sections].join("\n");
  return { found, expected: `${found.slice(0, begin)}${marks[0]}\n${text}\n${found.slice(end)}` };
}

function kernels(records: ReadonlyMap<string, KernelRecord>): string {
  const rows = [...records].map(([series, { release, version }]) => {
    const debian = /Debian \S+/.exec(version)?.[0];
    return [series, debian === undefined ? release : `${release}, ${debian}`];
  });
  return `${table([["kernel", "as recorded"], ...rows])}\n`;
}

/** Each behaviour on each kernel: recorded means that all held that is asserted of it. */
function summary(records: ReadonlyMap<string, KernelRecord>): string {
  const head = ["behaviour", ...records.keys(), "kernels differ in"];
  const rows = behaviours.map(({ name }) => {
    const seen = [...records.values()].map((record) => record.behaviours[name]);
    const known = seen.filter((one) => one !== undefined);
    const keys = Object.keys(known[0] ?? {});
    const differing = keys.filter((key) => new Set(known.map((one) => one[key])).size > 1);
    const cells = seen.map((one) => (one === undefined ? "not seen" : "holds"));
    return [name, ...cells, differing.length === 0 ? "nothing" : `${differing.length} of ${keys.length}`];
  });
  return `${table([head, ...rows])}\n`;
}

function section({ name, claim }: Behaviour, records: ReadonlyMap<string, KernelRecord>): string {
  const seen = [...records].flatMap(([series, record]) => {
    const observed = record.behaviours[name];
    return observed === undefined ? [] : [{ series, observed }];
  });
  const keys = [...new Set(seen.flatMap(({ observed }) => Object.keys(observed)))];
  const rows = keys.map((key) => {
    const values = seen.map(({ series, observed }) => [series, shown(observed[key])] as const);
    const alike = new Set(values.map(([, value]) => value)).size === 1;
    const differences = values.map(([series, value]) => `${series}: ${value}`).join("; ");
    return [key, (alike ? values[0]?.[1] : undefined) ?? `**${differences}**`];
  });
  const on = seen.map(({ series }) => series).join(", ");
  return [`### ${name}`, "", claim, "", table([[`seen on ${on}`, ""], ...rows]), ""].join("\n");
}

/** A table of Markdown with columns of equal width, as the formatter wants it. */
function table(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows;
  const widths = head.map((_, column) => Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join("\n");
}

const shown = (value: string | number | boolean | undefined): string =>
  value === true ? "yes" : value === false ? "no" : value === undefined ? "-" : `${value}`;

if (import.meta.main) {
  const { found, expected } = await freshReadme();
  if (found !== expected) await writeFile(file, expected);
}
