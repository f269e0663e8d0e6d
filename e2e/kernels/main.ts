// npm run e2e -- kernels [series…]: where calls and requests go, and what the kernels do, on other kernels, in QEMU.
import { parseArgs } from "node:util";
import { checkCommand, checkFiles } from "./check.ts";
import { wantedKernels } from "./kernel-cache.ts";
import { type MatrixRun, runKernelMatrix } from "./matrix.ts";
import { setUpKernels } from "./setup.ts";

const usage = `usage: npm run e2e -- kernels [options] [series…]

Boots Debian's kernels (${wantedKernels.map(({ series }) => series).join(", ")}) in QEMU and runs scenarios in each, with the real control plane,
applier and relay, which show where calls and requests went by who answered and by what the maps counted; then looks at what
the kernel does with redirected sockets (e2e/kernel-behaviour) and holds its matcher of requests against the reference
(e2e/matching). Fails if a scenario fails, a behaviour is not as recorded, or the kernel's log reports a fault.

  --all      every scenario, and behaviours in full length
  --check    only look at what each kernel offers
  --help     this text

Examples:
  npm run e2e -- kernels
  npm run e2e -- kernels 6.1 6.12
`;

/** By a part of each one's name: for every program that is loaded, and every way down a tier, the scenario that shows it. */
const shortScenarios = [
  "weights of 80 and 20",
  "getpeername shows the address",
  "datagrams are spread",
  "the maps count exactly",
  "weights hold for the requests",
  "a header decides",
  "requests are counted by who answered",
  "a relay that is killed",
  "weights hold for requests of one connection that programs take",
  "a header and a path decide",
  "cheap to verify",
  "where the kernel refuses programs",
  "requests of all sizes",
  "without CAP_PERFMON",
];

/** Per kernel and program; emulated, and scenarios run over both families. */
const timeoutMs = { short: 15 * 60_000, all: 40 * 60_000 };

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { all: { type: "boolean" }, check: { type: "boolean" }, help: { type: "boolean", short: "h" } },
    allowPositionals: true,
  });
  if (values.help === true) {
    process.stdout.write(usage);
    return 0;
  }
  const known = wantedKernels.map(({ series }) => series);
  const unknown = positionals.filter((series) => !known.includes(series));
  if (unknown.length > 0) {
    process.stderr.write(`no kernel ${unknown.join(", ")}; there are ${known.join(", ")}\n\n${usage}`);
    return 2;
  }
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const { kernels, missing } = await setUpKernels(say, positionals.length > 0 ? { series: positionals } : {});
  for (const { series, reason } of missing) say(`kernel ${series} is not to be had: ${reason}`);
  const series = kernels.map((kernel) => kernel.series);
  const runs = values.check === true ? [await check()] : programs(values.all === true ? "all" : "short");
  let passed = true;
  for (const one of runs) {
    const rows = await runKernelMatrix({ kernels: series, ...one });
    passed &&= rows.every((row) => row.passed);
  }
  return passed && kernels.length > 0 && missing.length === 0 ? 0 : 1;
}

type Run = Omit<MatrixRun, "kernels">;

const check = async (): Promise<Run> => ({ command: checkCommand, files: await checkFiles() });

function programs(length: "short" | "all"): readonly Run[] {
  const [scenarios, behaviours] = length === "all" ? [[], []] : [shortScenarios, ["--short"]];
  return [
    ["e2e/kernels/scenarios-in-guest.ts", ...scenarios],
    ["e2e/kernel-behaviour/main.ts", ...behaviours],
    ["e2e/matching/main.ts"],
  ].map((command) => ({ command: ["node", ...command], timeoutMs: timeoutMs[length] }));
}

process.exitCode = await main();
