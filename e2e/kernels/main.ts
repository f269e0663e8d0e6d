// npm run e2e -- kernels [series…]: what the connect tier must do, and what the kernels do, on other kernels, in QEMU.
import { parseArgs } from "node:util";
import { checkCommand, checkFiles } from "./check.ts";
import { type CachedKernel, wantedKernels } from "./kernel-cache.ts";
import { runKernelMatrix } from "./matrix.ts";
import { setUpKernels } from "./setup.ts";

const usage = `usage: npm run e2e -- kernels [options] [series…]

Boots Debian's kernels (${wantedKernels.map(({ series }) => series).join(", ")}) in QEMU and runs every scenario of the connect tier in each, with the
real control plane and the real applier, then looks at what it does with redirected sockets (e2e/kernel-behaviour) and
holds its matcher of requests against the reference (e2e/matching).
Fails if a scenario fails, a behaviour is not as recorded, or the kernel's log reports a fault.

  --check    only look at what each kernel offers
  --help     this text

Examples:
  npm run e2e -- kernels
  npm run e2e -- kernels 6.1 6.12
`;

/** Emulated, and all scenarios twice. */
const timeoutMs = 40 * 60_000;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { check: { type: "boolean" }, help: { type: "boolean", short: "h" } },
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
  const passed = await run(kernels, values.check === true);
  return passed && kernels.length > 0 && missing.length === 0 ? 0 : 1;
}

async function run(kernels: readonly CachedKernel[], checkOnly: boolean): Promise<boolean> {
  const series = kernels.map((kernel) => kernel.series);
  const runs = checkOnly
    ? [{ command: checkCommand, files: await checkFiles() }]
    : ["e2e/kernels/scenarios-in-guest.ts", "e2e/kernel-behaviour/main.ts", "e2e/matching/main.ts"].map(
        (program) => ({
          command: ["node", program],
          timeoutMs,
        }),
      );
  let passed = true;
  for (const one of runs) {
    const rows = await runKernelMatrix({ kernels: series, ...one });
    passed &&= rows.every((row) => row.passed);
  }
  return passed;
}

process.exitCode = await main();
