// npm run e2e -- relay-policy [--node] [ROUNDS [SEED]]: what the relay, or a node whose programs take requests, makes of them is
// what a real Envoy makes of them.
import { parseArgs } from "node:util";
import { casesOf } from "./cases.ts";
import { type Comparison, compareWithEnvoy } from "./comparison.ts";
import { compareFailures } from "./failures.ts";
import { compareNodeWithEnvoy, type NodeComparison } from "./node-comparison.ts";

/** Services of one Envoy. */
const casesPerRound = { relay: 300, node: 100 };

const { values, positionals } = parseArgs({ allowPositionals: true, options: { node: { type: "boolean" } } });
const [rounds = 20, first = 1] = positionals.map(Number);
const seeds = Array.from({ length: rounds }, (_, index) => first + index);
process.exitCode = (await (values.node === true ? besideNode() : besideRelay())) ? 0 : 1;

/** @returns whether all is alike, and something was looked at */
async function besideRelay(): Promise<boolean> {
  const rounded: Comparison[] = [];
  for (const seed of seeds)
    rounded.push(told(seed, await compareWithEnvoy(casesOf(seed, casesPerRound.relay))));
  const failures = await compareFailures();
  for (const one of failures.different) process.stdout.write(`${one}\n`);
  process.stdout.write(`${failures.asked} requests that fail, ${failures.retried} of them tried again\n`);
  return isAlike(rounded) && failures.different.length === 0;
}

/** @returns whether all is alike, and programs took requests */
async function besideNode(): Promise<boolean> {
  const rounded: NodeComparison[] = [];
  for (const seed of seeds)
    rounded.push(told(seed, await compareNodeWithEnvoy(casesOf(seed, casesPerRound.node, "for programs"))));
  const sum = (name: "owed" | "taken" | "moved" | "shared"): number =>
    rounded.reduce((all, one) => all + one[name], 0);
  process.stdout.write(
    `${sum("owed")} of the questions are for programs, which took ${sum("taken")} requests and moved ${sum("moved")} answers; ` +
      `shares compared of ${sum("shared")}\n`,
  );
  return isAlike(rounded) && sum("taken") > sum("owed") && sum("moved") > 0;
}

function told<One extends Comparison>(seed: number, comparison: One): One {
  for (const one of comparison.different.slice(0, 3)) process.stdout.write(`seed ${seed}: ${one}\n\n`);
  return comparison;
}

function isAlike(rounded: readonly Comparison[]): boolean {
  const sum = (of: (one: Comparison) => number): number => rounded.reduce((all, one) => all + of(one), 0);
  const forwarded = sum((one) => one.forwarded);
  const mirrored = sum((one) => one.mirrored);
  const different = sum((one) => one.different.length);
  process.stdout.write(
    `${sum((one) => one.asked)} questions, ${forwarded} of them forwarded, ${mirrored} mirrored: ${different} differ\n`,
  );
  return different === 0 && forwarded > 0 && mirrored > 0;
}
