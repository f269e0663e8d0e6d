// npm run e2e -- kernels [series…]: where calls and requests go, and what the kernels do, on other kernels, in QEMU.
import { parseArgs } from "node:util";
import { checkCommand, checkFiles } from "./check.ts";
import { wantedKernels } from "./kernel-cache.ts";
import { runKernelMatrix } from "./matrix.ts";
import { isPart, partNames, runOf, wantedParts } from "./parts.ts";
import { setUpKernels } from "./setup.ts";

const usage = `usage: npm run e2e -- kernels [options] [series…]

Boots Debian's kernels (${wantedKernels.map(({ series }) => series).join(", ")}) in QEMU and runs scenarios in each, with the real control plane,
applier and relay, which show where calls and requests went by who answered and by what the maps counted; then tortures
connections that programs switch (e2e/torture), looks at what the kernel does with redirected sockets (e2e/kernel-behaviour) and
holds its matcher of requests against the reference (e2e/matching). Fails if a scenario fails, a byte is wrong, a behaviour is not as
recorded, or the kernel's log reports a fault. A node's relay is an Envoy, too, if one is there (npm run e2e -- setup envoy).

  --all      every scenario, torture and behaviours in full length
  --part P   only this part: ${partNames.join(", ")}; may be given again
  --only T   only scenarios with this text in their names, and no other part that is not named; may be given again
  --check    only look at what each kernel offers
  --help     this text

Examples:
  npm run e2e -- kernels
  npm run e2e -- kernels 6.1 6.12
  npm run e2e -- kernels --part torture --part matching 6.1
  npm run e2e -- kernels --only "cheap to verify" 7.2
`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: {
      all: { type: "boolean" },
      part: { type: "string", multiple: true },
      only: { type: "string", multiple: true },
      check: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
    allowPositionals: true,
  });
  if (values.help === true) {
    process.stdout.write(usage);
    return 0;
  }
  const known = wantedKernels.map(({ series }) => series);
  const { all = false, part: parts = [], only } = values;
  const unknown = [...refused("kernel", known, positionals), ...refused("part", partNames, parts)];
  if (unknown.length > 0) {
    process.stderr.write(`${unknown.join("\n")}\n\n${usage}`);
    return 2;
  }
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const { kernels, missing } = await setUpKernels(say, positionals.length > 0 ? { series: positionals } : {});
  for (const { series, reason } of missing) say(`kernel ${series} is not to be had: ${reason}`);
  const series = kernels.map((kernel) => kernel.series);
  const length = all ? "all" : "short";
  const wanted = wantedParts({ parts: parts.filter(isPart), only });
  const runs =
    values.check === true
      ? [{ command: checkCommand, files: await checkFiles() }]
      : await Promise.all(wanted.map((part) => runOf(part, length, only)));
  let passed = true;
  for (const run of runs) {
    const rows = await runKernelMatrix({ kernels: series, ...run });
    passed &&= rows.every((row) => row.passed);
  }
  return passed && kernels.length > 0 && missing.length === 0 ? 0 : 1;
}

/** What there is none of, in words. */
function refused(kind: string, known: readonly string[], given: readonly string[]): readonly string[] {
  const unknown = given.filter((name) => !known.includes(name));
  return unknown.length === 0 ? [] : [`no ${kind} ${unknown.join(", ")}; there are ${known.join(", ")}`];
}

process.exitCode = await main();
