import { type DebianMirrors, distributionName, findMirrors } from "./apt.ts";
import { exec, findProgram } from "./exec.ts";
import { fetchKernel } from "./fetch-kernel.ts";
import { type CachedKernel, wantedKernels } from "./kernel-cache.ts";

/** Programs the runner needs, each with the Debian package that has it. */
const neededPrograms: readonly { program: string; package: string }[] = [
  { program: "qemu-system-x86_64", package: "qemu-system-x86" },
  { program: "busybox", package: "busybox-static" },
  { program: "depmod", package: "kmod" },
  { program: "xz", package: "xz-utils" },
];

/** What setup could and could not bring. */
export interface SetupResult {
  kernels: CachedKernel[];
  missing: { series: string; suite: string; reason: string }[];
}

/**
 * Installs the missing programs and fetches the kernels; says on the way what it does. A kernel that can't be
 * had is listed with the reason; programs that can't be installed throw.
 */
export async function setUpKernels(
  say: (line: string) => void,
  options: { series?: readonly string[] } = {},
): Promise<SetupResult> {
  await installPrograms(say);
  const mirrors = await requireMirrors(say);
  const result: SetupResult = { kernels: [], missing: [] };
  const chosen = wantedKernels.filter((k) => options.series?.includes(k.series) ?? true);
  for (const wanted of chosen) {
    try {
      const kernel = await fetchKernel(wanted, mirrors, say);
      result.kernels.push(kernel);
      if (kernel.series !== wanted.series)
        result.missing.push({
          ...wanted,
          reason: `${wanted.suite} has moved on to ${kernel.packageVersion}`,
        });
    } catch (error) {
      result.missing.push({ ...wanted, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  return result;
}

async function installPrograms(say: (line: string) => void): Promise<void> {
  const missing: string[] = [];
  for (const needed of neededPrograms) if (!(await findProgram(needed.program))) missing.push(needed.package);
  if (missing.length === 0) return;
  say(`installing by apt, as they are missing: ${missing.join(", ")}`);
  if (process.getuid?.() !== 0)
    throw new Error(
      `installing needs root; run as root: apt-get install --no-install-recommends ${missing.join(" ")}`,
    );
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  await exec("apt-get", ["update"]);
  await exec("apt-get", ["install", "-y", "--no-install-recommends", ...missing], { env });
}

async function requireMirrors(say: (line: string) => void): Promise<DebianMirrors> {
  let mirrors = await findMirrors();
  if (!mirrors) {
    say("apt has no package lists yet: apt-get update");
    await exec("apt-get", ["update"]);
    mirrors = await findMirrors();
  }
  if (mirrors) return mirrors;
  throw new Error(
    `no Debian mirror in this machine's apt sources (${await distributionName()}); the kernels are Debian's`,
  );
}

function printLine(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function main(): Promise<number> {
  const series = process.argv.slice(2);
  const result = await setUpKernels(printLine, series.length > 0 ? { series } : {});
  for (const kernel of result.kernels)
    printLine(`kernel ${kernel.series}: ready, ${kernel.release} (${kernel.packageVersion})`);
  for (const kernel of result.missing)
    printLine(`kernel ${kernel.series}: not to be had from ${kernel.suite}: ${kernel.reason}`);
  return result.missing.length === 0 ? 0 : 1;
}

if (import.meta.main) process.exitCode = await main();
