// npm run e2e -- conformance: whether a server speaks xDS as istiod and the protocol's documentation have it.
import {
  type ConformanceCommand,
  help,
  listText,
  parseConformanceArguments,
  type Target,
} from "./arguments.ts";
import { type Differences, istiodDifferences, readDifferences } from "./differences.ts";
import type { Outcome } from "./outcome.ts";
import { jsonReport, textReport } from "./report.ts";
import { type Planned, run } from "./run.ts";
import { type Examined, examineWithFolder, startExamined } from "./subjects/examined.ts";
import { istiod } from "./subjects/istiod.ts";
import { keelson } from "./subjects/keelson.ts";

type RunCommand = Extract<ConformanceCommand, { readonly kind: "run" }>;

function examine(target: Target, plan: readonly Planned[]): Promise<Examined> {
  if ("start" in target) return startExamined({ keelson, istiod }[target.start], plan);
  const { address, configFolder, namespace } = target;
  if (configFolder !== undefined) return examineWithFolder(address, configFolder, plan);
  const nothing = (): Promise<void> => Promise.resolve();
  return Promise.resolve({ address, namespace, config: undefined, [Symbol.asyncDispose]: nothing });
}

async function differencesOf({ target, differences }: RunCommand): Promise<Differences> {
  const isIstiod = "start" in target && target.start === "istiod";
  const file = differences ?? (isIstiod ? istiodDifferences : undefined);
  if (file === undefined) return new Map();
  return readDifferences(file);
}

const progress = ({ name, variant, state }: Outcome): void => {
  process.stderr.write(`${state.padEnd(8)} ${name} ${variant}\n`);
};

async function runCommand(command: RunCommand): Promise<number> {
  const { plan, patienceMs, json, target } = command;
  const differences = await differencesOf(command);
  await using examined = await examine(target, plan);
  const outcomes = await run({ ...examined, plan, differences, patienceMs, onOutcome: progress });
  const server = "start" in target ? target.start : examined.address;
  process.stdout.write(json ? jsonReport(outcomes, server) : `\n${textReport(outcomes)}`);
  return outcomes.some(({ state }) => state === "failed") ? 1 : 0;
}

function main(command: ConformanceCommand): Promise<number> {
  if (command.kind === "run") return runCommand(command);
  if (command.kind === "help") process.stdout.write(help);
  else if (command.kind === "list") process.stdout.write(listText(command.plan));
  else process.stderr.write(`${command.message}\n\n${help}`);
  return Promise.resolve(command.kind === "wrong" ? 2 : 0);
}

process.exitCode = await main(parseConformanceArguments(process.argv.slice(2))).catch((error: unknown) => {
  process.stderr.write(`conformance: ${error instanceof Error ? error.message : String(error)}\n`);
  return 1;
});
