// npm run bench -- NAME: measures something on this machine and prints it as a table or as JSON.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { WorldInUse } from "../world/lock.ts";
import { type BenchCommand, help, parseBenchArguments } from "./arguments.ts";
import type { Benchmark } from "./benchmark.ts";
import { connectBenchmark } from "./connect/connect.ts";
import { environment, environmentText } from "./environment.ts";
import { httpBenchmark } from "./http/http.ts";
import { kubernetesBenchmark } from "./kubernetes/kubernetes.ts";
import { pushBenchmark } from "./push/push.ts";
import { rulesBenchmark } from "./rules/rules.ts";

const benchmarks: readonly Benchmark[] = [
  connectBenchmark,
  pushBenchmark,
  kubernetesBenchmark,
  httpBenchmark,
  rulesBenchmark,
];

const progress = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

async function measure(command: Extract<BenchCommand, { kind: "run" }>): Promise<number> {
  const { benchmark, json, quick, world, save } = command;
  const missing = await benchmark.missing();
  if (missing.length > 0) {
    progress(
      `bench: it cannot be measured here; missing is\n${missing.map((what) => `- ${what}`).join("\n")}`,
    );
    return 1;
  }
  const where = await environment();
  const start = performance.now();
  const { figures, text, picture } = await benchmark.run({
    quick,
    world,
    progress: (what) => progress(`${((performance.now() - start) / 1000).toFixed(0).padStart(4)} s  ${what}`),
  });
  const asJson = `${JSON.stringify({ benchmark: benchmark.name, quick, environment: where, ...figures }, null, 2)}\n`;
  if (save !== undefined) {
    await mkdir(save, { recursive: true });
    await writeFile(join(save, `bench-${benchmark.name}.json`), asJson);
    if (picture !== undefined) await writeFile(join(save, `bench-${benchmark.name}.svg`), picture);
  }
  process.stdout.write(
    json
      ? asJson
      : `\n${environmentText(where)}${quick ? "\na quick run: the figures say little" : ""}\n\n${text}`,
  );
  return 0;
}

function run(command: BenchCommand): Promise<number> {
  if (command.kind === "run") return measure(command);
  if (command.kind === "help") process.stdout.write(help(benchmarks));
  else process.stderr.write(`${command.message}\n\n${help(benchmarks)}`);
  return Promise.resolve(command.kind === "help" ? 0 : 2);
}

function explain(error: unknown): string {
  if (error instanceof WorldInUse) {
    return `a benchmark runs already, and two would disturb each other; end it with: kill ${error.owner}`;
  }
  return error instanceof Error ? error.message : String(error);
}

process.exitCode = await run(parseBenchArguments(process.argv.slice(2), benchmarks)).catch(
  (error: unknown) => {
    process.stderr.write(`bench: ${explain(error)}\n`);
    return 1;
  },
);
