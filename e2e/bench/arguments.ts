import { parseArgs } from "node:util";
import type { Benchmark } from "./benchmark.ts";

export type BenchCommand =
  | { readonly kind: "help" }
  | { readonly kind: "wrong"; readonly message: string }
  | {
      readonly kind: "run";
      readonly benchmark: Benchmark;
      readonly json: boolean;
      readonly quick: boolean;
      readonly world: string;
      /** Folder that the result is kept in, as files. */
      readonly save?: string;
    };

const options = {
  json: { type: "boolean", default: false },
  quick: { type: "boolean", default: false },
  world: { type: "string", default: "bench" },
  save: { type: "string" },
  help: { type: "boolean", short: "h", default: false },
} as const;

export const help = (
  benchmarks: readonly Benchmark[],
): string => `Measures on this machine; all figures of one run belong together.

usage: npm run bench -- NAME [options]

${benchmarks.map(({ name, what }) => `  ${name}  ${what}\n`).join("")}
options:
  --json        the result as JSON (npm run --silent, so that npm's own lines are not in front of it)
  --quick       a short run with less of everything, to see that all works; its figures say little
  --save FOLDER also keep it as files: bench-NAME.json and, of some, bench-NAME.svg
  --world NAME  another name for all that is made (bench)
  --help        this text

Progress goes to standard error, the result to standard output. What one needs and is not there is named.
Exit code: 0 measured, 1 failed or not possible here, 2 wrong usage, 128 + n ended by signal n.
`;

export function parseBenchArguments(args: readonly string[], benchmarks: readonly Benchmark[]): BenchCommand {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    if (values.help) return { kind: "help" };
    const [name, ...rest] = positionals;
    const known = benchmarks.map((benchmark) => benchmark.name).join(", ");
    if (name === undefined) throw new Error(`name a benchmark: ${known}`);
    if (rest.length > 0) throw new Error(`one benchmark at a time; found also "${rest.join(" ")}"`);
    const benchmark = benchmarks.find((candidate) => candidate.name === name);
    if (benchmark === undefined) throw new Error(`there is no benchmark "${name}", only ${known}`);
    const { json, quick, world, save } = values;
    return { kind: "run", benchmark, json, quick, world, ...(save === undefined ? {} : { save }) };
  } catch (error) {
    return { kind: "wrong", message: error instanceof Error ? error.message : String(error) };
  }
}
