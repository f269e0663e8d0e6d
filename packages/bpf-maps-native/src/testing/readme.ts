// Writes the generated parts of README.md, between `<!-- begin <part> -->` and `<!-- end <part> -->`: the table of
// operations from the titles of the tests on the kernel, and the example from its files.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readOperations } from "./operations.ts";

const root = join(import.meta.dirname, "../..");
export const readmeFile = join(root, "README.md");

/** Cells in columns of equal width, as the formatter has them. */
function table(rows: string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  const [head = [], ...body] = rows;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join("\n");
}

function operationsTable(): string {
  const rows = readOperations().map(({ name, calls, shows, file }) => [
    name,
    calls.map((call) => `\`${call}\``).join(", "),
    shows,
    `[${file.replace(".test.ts", "")}](src/${file})`,
  ]);
  return table([["operation", "calls", "what its test shows", "test"], ...rows]);
}

function listing(language: string, file: string): string {
  return `\`\`\`${language}\n${readFileSync(join(root, file), "utf8")}\`\`\``;
}

const parts: Record<string, () => string> = {
  operations: operationsTable,
  example: () => listing("ts", "src/example/connects.ts"),
  program: () => listing("c", "src/example/connects.bpf.c"),
};

/** The README with its generated parts as they should be. Throws when the markers of a part are missing. */
export function renderReadme(readme: string): string {
  let rendered = readme;
  for (const [part, render] of Object.entries(parts)) {
    const [begin, end] = [`<!-- begin ${part} -->\n`, `\n<!-- end ${part} -->`];
    const from = rendered.indexOf(begin);
    const to = rendered.indexOf(end, from);
    if (from < 0 || to < 0) throw new Error(`README.md has no ${begin.trim()} … ${end.trim()}`);
    rendered = rendered.slice(0, from + begin.length) + render() + rendered.slice(to);
  }
  return rendered;
}

if (import.meta.main) writeFileSync(readmeFile, renderReadme(readFileSync(readmeFile, "utf8")));
