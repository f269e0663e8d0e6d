import { mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { until } from "./until.ts";

/** Makes a cgroup and those above it that are missing. */
export async function makeCgroup(path: string): Promise<void> {
  await mkdir(path, { recursive: true });
}

/** All cgroups at or below a folder, the deepest first; none if the folder is not there. */
async function cgroupsBelow(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) return [];
  const folders = entries.filter((entry) => entry.isDirectory());
  const below = await Promise.all(folders.map((entry) => cgroupsBelow(join(path, entry.name))));
  return [...below.flat(), path];
}

/** Process ids in a cgroup and those below it. */
export async function processesIn(path: string): Promise<number[]> {
  const texts = await Promise.all(
    (await cgroupsBelow(path)).map((cgroup) =>
      readFile(join(cgroup, "cgroup.procs"), "utf8").catch(() => ""),
    ),
  );
  return texts.flatMap((text) => text.split("\n").filter(Boolean).map(Number));
}

/** Kills all processes in a cgroup and below, and waits until they are gone; none are where no cgroup is. */
export async function killProcesses(path: string): Promise<void> {
  await until(
    async () => {
      const processes = await processesIn(path);
      if (processes.length === 0) return true;
      // One write kills the whole tree, forks included; cgroup.kill came with Linux 5.14.
      await writeFile(join(path, "cgroup.kill"), "1").catch(() => {
        for (const id of processes) kill(id);
      });
      return false;
    },
    { what: `the processes in ${path} to end` },
  );
}

function kill(id: number): void {
  try {
    process.kill(id, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

/** Kills what runs in a cgroup and below, and removes them all. Does nothing if the cgroup is not there. */
export async function removeCgroup(path: string): Promise<void> {
  await until(
    async () => {
      await killProcesses(path);
      // One that is busy still, or again, is tried once more.
      for (const cgroup of await cgroupsBelow(path)) await rmdir(cgroup);
      return true;
    },
    { what: `the cgroup ${path} to be removable` },
  );
}
