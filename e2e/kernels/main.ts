// npm run e2e -- kernels [series…]: where calls and requests go, and what the kernels do, on other kernels, in QEMU.
import { parseArgs } from "node:util";
import { lookUpPeer } from "../peers/peer-cache.ts";
import { checkCommand, checkFiles } from "./check.ts";
import type { GuestFile } from "./cpio.ts";
import { sharedLibraries } from "./host-tools.ts";
import { wantedKernels } from "./kernel-cache.ts";
import { type MatrixRun, runKernelMatrix } from "./matrix.ts";
import { setUpKernels } from "./setup.ts";

const usage = `usage: npm run e2e -- kernels [options] [series…]

Boots Debian's kernels (${wantedKernels.map(({ series }) => series).join(", ")}) in QEMU and runs scenarios in each, with the real control plane,
applier and relay, which show where calls and requests went by who answered and by what the maps counted; then tortures
connections that programs switch (e2e/torture), looks at what the kernel does with redirected sockets (e2e/kernel-behaviour) and
holds its matcher of requests against the reference (e2e/matching). Fails if a scenario fails, a byte is wrong, a behaviour is not as
recorded, or the kernel's log reports a fault. A node's relay is an Envoy, too, if one is there (npm run e2e -- setup envoy).

  --all      every scenario, torture and behaviours in full length
  --only T   only scenarios with this text in their names, and no other program; may be given again
  --check    only look at what each kernel offers
  --help     this text

Examples:
  npm run e2e -- kernels
  npm run e2e -- kernels 6.1 6.12
  npm run e2e -- kernels --only "cheap to verify" 7.2
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

/** Emulated: a few hundred requests take as long as a hundred thousand elsewhere. */
const torture = {
  short: ["--requests", "300", "--callers", "8", "--most", String(2 ** 18), "--between", "50"],
  all: ["--requests", "5000", "--callers", "16", "--most", String(2 ** 22), "--between", "500"],
};

/** Per kernel and program; emulated, and scenarios run over both families. */
const timeoutMs = { short: 40 * 60_000, all: 60 * 60_000 };

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: {
      all: { type: "boolean" },
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
  const unknown = positionals.filter((series) => !known.includes(series));
  if (unknown.length > 0) {
    process.stderr.write(`no kernel ${unknown.join(", ")}; there are ${known.join(", ")}\n\n${usage}`);
    return 2;
  }
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const { kernels, missing } = await setUpKernels(say, positionals.length > 0 ? { series: positionals } : {});
  for (const { series, reason } of missing) say(`kernel ${series} is not to be had: ${reason}`);
  const series = kernels.map((kernel) => kernel.series);
  const runs =
    values.check === true
      ? [await check()]
      : await programs(values.all === true ? "all" : "short", values.only);
  let passed = true;
  for (const one of runs) {
    const rows = await runKernelMatrix({ kernels: series, ...one });
    passed &&= rows.every((row) => row.passed);
  }
  return passed && kernels.length > 0 && missing.length === 0 ? 0 : 1;
}

type Run = Omit<MatrixRun, "kernels">;

const check = async (): Promise<Run> => ({ command: checkCommand, files: await checkFiles() });

async function programs(
  length: "short" | "all",
  only: readonly string[] | undefined,
): Promise<readonly Run[]> {
  const [scenarios, behaviours] = length === "all" ? [[], []] : [shortScenarios, ["--short"]];
  const modes = ["switch", "queue"].flatMap((mode) => ["--sockets", mode]);
  const envoy = await envoyFiles();
  const withEnvoy = envoy.length === 0 ? [] : ["--envoy", envoyInGuest];
  const runs: readonly (readonly [string[], readonly GuestFile[]])[] = [
    [["e2e/kernels/scenarios-in-guest.ts", ...withEnvoy, ...(only ?? scenarios)], envoy],
    [["e2e/torture/main.ts", ...torture[length], ...modes], []],
    [["e2e/kernel-behaviour/main.ts", ...behaviours], []],
    [["e2e/matching/main.ts"], []],
  ];
  return runs.slice(0, only === undefined ? undefined : 1).map(([command, files]) => ({
    command: ["node", ...command],
    files,
    timeoutMs: timeoutMs[length],
  }));
}

const envoyInGuest = "/usr/local/bin/envoy";

/** Nothing, if there is none on this machine. */
async function envoyFiles(): Promise<readonly GuestFile[]> {
  const envoy = await lookUpPeer("envoy");
  if (envoy === undefined) return [];
  return [
    { path: envoyInGuest, from: envoy.program, mode: 0o755 },
    ...(await sharedLibraries([envoy.program])),
  ];
}

process.exitCode = await main();
