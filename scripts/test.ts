// npm test: lint, then the unit tests, then the end-to-end tests, and one honest line at the end.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { unexpectedSkips } from "./expected-skips.ts";
import { follow } from "./follow.mjs";
import type { Outcome } from "./test-reporter.ts";

const outcomesFile = "out/test-outcomes.jsonl";
/** Where Node keeps what it has compiled: tests start the same programs hundreds of times. */
const compileCache = resolve("out/compile-cache");
/** Set by CI, where every skip must be one that e2e/expected-skips.txt explains. */
const strict = process.env["KEELSON_STRICT_SKIPS"] === "1";

async function step(title: string, command: string, args: string[]): Promise<boolean> {
  process.stdout.write(`\n── ${title}\n`);
  const env = {
    ...process.env,
    KEELSON_TEST_OUTCOMES: outcomesFile,
    NODE_COMPILE_CACHE: compileCache,
  };
  const code = await follow(command, args, { env });
  // Ended by a signal: whoever sent it wants no further step.
  if (code > 128) process.exit(code);
  return code === 0;
}

mkdirSync("out", { recursive: true });
rmSync(outcomesFile, { force: true });
// Of programs that were built since nothing is of use.
rmSync(compileCache, { force: true, recursive: true });
writeFileSync(outcomesFile, "");
const filters = process.argv.slice(2);

const clean = await step("lint and types", "node", ["scripts/lint.ts"]);
const unit = await step("unit tests", "vitest", [
  "run",
  "--project",
  "unit",
  "--project",
  "binding",
  ...filters,
]);
const endToEnd = await step("end-to-end tests", "vitest", ["run", "--project", "e2e*", ...filters]);

const outcomes = readFileSync(outcomesFile, "utf8")
  .split("\n")
  .filter((line) => line !== "")
  .map((line) => JSON.parse(line) as Outcome);
const count = (state: Outcome["state"]): number =>
  outcomes.filter((outcome) => outcome.state === state).length;
const skipped = outcomes.filter((outcome) => outcome.state === "skipped");
const unexpected = unexpectedSkips(skipped, readFileSync("e2e/expected-skips.txt", "utf8"));
const kernel = outcomes.filter((outcome) => outcome.name.includes("[kernel]") && outcome.state !== "skipped");

process.stdout.write("\n");
for (const { name, reason } of skipped)
  process.stdout.write(`skipped: ${reason || "no reason given"} (${name})\n`);
process.stdout.write(`${kernel.length} tests ran on the kernel of this machine\n`);
if (strict) {
  for (const { name } of unexpected) process.stdout.write(`not listed in e2e/expected-skips.txt: ${name}\n`);
}
const passed =
  clean &&
  unit &&
  endToEnd &&
  count("failed") === 0 &&
  count("passed") > 0 &&
  !(strict && unexpected.length > 0);
if (!passed) process.stdout.write("the run failed\n");
process.exitCode = passed ? 0 : 1;
process.stdout.write(`${count("passed")} passed, ${count("failed")} failed, ${count("skipped")} skipped\n`);
