import { readFile } from "node:fs/promises";
import { command } from "../../world/command.ts";

/** The CPUs that this process may use, as taskset(1) takes them: "0-3", "0,2". */
export async function allowedCpus(): Promise<string> {
  const status = await readFile("/proc/self/status", "utf8");
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1];
  if (list === undefined) throw new Error("/proc/self/status does not name the CPUs that may be used");
  return list;
}

/** The numbers of a list of CPUs. */
export function cpuNumbers(list: string): number[] {
  return list.split(",").flatMap((part) => {
    const [first = 0, last = first] = part.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** Lets processes, with all their threads, run on these CPUs only. Those that have ended meanwhile are left out. */
export async function runOn(cpus: string, processes: readonly number[]): Promise<void> {
  for (const pid of processes) {
    await command("taskset", ["--all-tasks", "--cpu-list", "--pid", cpus, String(pid)]).catch(
      async (error: unknown) => {
        if (await isAlive(pid)) throw error;
      },
    );
  }
}

const isAlive = (pid: number): Promise<boolean> =>
  readFile(`/proc/${pid}/stat`).then(
    () => true,
    () => false,
  );
