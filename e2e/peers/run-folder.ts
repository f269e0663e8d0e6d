import { readFileSync } from "node:fs";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Each process that starts peers has a folder of its own below this one: logs, certificates, data. */
const runsFolder = join(tmpdir(), "keelson-peers");

/** In the environment of every peer and of all that it starts: the name of its owner's folder. */
export const ownerVariable = "KEELSON_PEERS_OWNER";

/**
 * When a process was started, in the kernel's ticks since boot (proc(5), /proc/PID/stat, field 22): together with the
 * process id, a name that is not used twice.
 * @returns undefined if there is no such process.
 */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command's name, in parentheses, may contain anything.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}

const ownName = `${process.pid}-${startTime(process.pid)}`;

/** Name of this process's folder, and value of {@link ownerVariable} for its peers. */
export const runOwner = ownName;

let prepared: Promise<string> | undefined;

/** This process's folder. The first call removes what owners that are gone have left, processes included. */
export function runFolder(): Promise<string> {
  prepared ??= prepare();
  return prepared;
}

async function prepare(): Promise<string> {
  const folder = join(runsFolder, ownName);
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(runsFolder)) if (!ownerIsAlive(name)) await removeRun(name);
  return folder;
}

function ownerIsAlive(name: string): boolean {
  const [pid, started] = name.split("-");
  return started !== undefined && startTime(Number(pid)) === started;
}

async function removeRun(name: string): Promise<void> {
  await killPeersOf(name);
  await rm(join(runsFolder, name), { recursive: true, force: true });
}

/**
 * Kills the processes that have this owner in their environment, and those whose environment also has `mark`, if one
 * is given.
 */
export async function killPeersOf(owner: string, mark?: string): Promise<void> {
  const wanted = [`${ownerVariable}=${owner}`, ...(mark === undefined ? [] : [mark])];
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
    // Gone meanwhile, or another user's.
    const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
    const variables = environment.split("\0");
    if (wanted.every((variable) => variables.includes(variable))) kill(Number(pid));
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
