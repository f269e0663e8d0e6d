import { readdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

/** A kernel the matrix asks for, and the Debian suite that carries it. */
export interface WantedKernel {
  /** Major and minor version, such as "6.1". */
  series: string;
  suite: string;
}

/** The matrix: the oldest and the newest long-term kernel Keelson supports, and what comes next. */
export const wantedKernels: readonly WantedKernel[] = [
  { series: "6.1", suite: "bookworm" },
  { series: "6.12", suite: "trixie" },
  { series: "7.2", suite: "sid" },
];

/** What setup writes beside an unpacked kernel, as kernel.json. */
export interface KernelRecord {
  series: string;
  /** As `uname -r` says it, such as "6.1.0-42-cloud-amd64". */
  release: string;
  /** The Debian package's version, such as "6.1.176-1". */
  packageVersion: string;
  suite: string;
}

/** An unpacked kernel in the cache. */
export interface CachedKernel extends KernelRecord {
  /** The bzImage. */
  image: string;
  /** lib/modules/RELEASE, with modules.dep. */
  modulesDirectory: string;
}

/** Where kernels and parts of initramfs images are kept: KEELSON_E2E_CACHE, else ~/.cache/keelson-e2e. */
export function cacheDirectory(): string {
  return process.env.KEELSON_E2E_CACHE || join(homedir(), ".cache", "keelson-e2e");
}

/** The folder of one kernel in the cache; named by its series so that an update replaces the one before. */
export function kernelDirectory(series: string): string {
  return join(cacheDirectory(), "kernels", series);
}

/** The kernels in the cache, oldest series first. */
export async function listKernels(): Promise<CachedKernel[]> {
  const names = await readdir(join(cacheDirectory(), "kernels")).catch(() => []);
  const kernels: CachedKernel[] = [];
  for (const name of names) {
    const kernel = await readKernel(name);
    if (kernel) kernels.push(kernel);
  }
  return kernels.sort((a, b) => compareSeries(a.series, b.series));
}

/** One kernel of the cache by series. Throws, naming what there is, if setup has not fetched it. */
export async function findKernel(series: string): Promise<CachedKernel> {
  const kernel = await readKernel(series);
  if (kernel) return kernel;
  const there = (await listKernels()).map((k) => k.series).join(", ") || "none";
  throw new Error(
    `kernel ${series} is not in ${kernelDirectory(series)} (there: ${there}); run: node e2e/kernels/setup.ts`,
  );
}

async function readKernel(series: string): Promise<CachedKernel | undefined> {
  const directory = kernelDirectory(series);
  const text = await readFile(join(directory, "kernel.json"), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const record: unknown = JSON.parse(text);
  if (!isRecord(record))
    throw new Error(`${directory}/kernel.json lacks a field; run: node e2e/kernels/setup.ts`);
  return {
    ...record,
    image: join(directory, "vmlinuz"),
    modulesDirectory: join(directory, "lib", "modules", record.release),
  };
}

function isRecord(value: unknown): value is KernelRecord {
  const fields = new Map<string, unknown>(Object.entries(value ?? {}));
  return ["series", "release", "packageVersion", "suite"].every(
    (name) => typeof fields.get(name) === "string",
  );
}

/** Orders "6.1" before "6.12". */
export function compareSeries(a: string, b: string): number {
  const [majorA = 0, minorA = 0] = a.split(".").map(Number);
  const [majorB = 0, minorB = 0] = b.split(".").map(Number);
  return majorA - majorB || minorA - minorB;
}
