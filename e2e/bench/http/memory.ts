import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Where the kernel shows its caches of objects, if it does. */
const slabFolder = "/sys/kernel/slab";

/** In bytes. */
export interface Memory {
  /** Of the processes looked at: what is theirs alone, and their part of what they share. */
  readonly process: number;
  /** Of the kernel's own objects, of the whole machine. */
  readonly slab: number;
  /** What could not be had any more, of the whole machine. */
  readonly taken: number;
}

export async function memoryOf(processes: readonly number[]): Promise<Memory> {
  const parts = await Promise.all(
    processes.map(async (pid) => field(await readFile(`/proc/${pid}/smaps_rollup`, "utf8"), "Pss")),
  );
  const machine = await readFile("/proc/meminfo", "utf8");
  return {
    process: parts.reduce((sum, part) => sum + part, 0),
    slab: field(machine, "Slab"),
    taken: field(machine, "MemTotal") - field(machine, "MemAvailable"),
  };
}

/** Has the kernel give back what it keeps of objects that are gone: what is made next would else seem to cost less. */
export async function shrinkSlabs(): Promise<void> {
  const caches = await readdir(slabFolder).catch(() => []);
  // Some are gone, or may not be written.
  for (const cache of caches) await writeFile(join(slabFolder, cache, "shrink"), "1").catch(() => undefined);
}

/** A line "NAME: N kB" as bytes. @throws Error if there is none. */
function field(text: string, name: string): number {
  const kilobytes = new RegExp(`^${name}:\\s*(\\d+) kB$`, "m").exec(text)?.[1];
  if (kilobytes === undefined) throw new Error(`no "${name}" in what /proc says of memory`);
  return Number(kilobytes) * 1024;
}
