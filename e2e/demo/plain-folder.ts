// The folder of a demo that runs without root, and what becomes of it when the demo is killed.
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isAlive, type ProcessEntry, processEntry } from "./process-entry.ts";

const prefix = "keelson-demo-";
const recordName = "processes.json";

/** Makes a folder that is this process's, after removing those of demos that were killed, and their programs. */
export async function makePlainFolder(): Promise<string> {
  for (const name of await readdir(tmpdir())) {
    if (name.startsWith(prefix)) await removeIfDead(join(tmpdir(), name));
  }
  const folder = await mkdtemp(join(tmpdir(), prefix));
  await recordProcesses(folder, []);
  return folder;
}

/** Notes which programs are to be ended if this process cannot do it. The first of the record is the owner. */
export async function recordProcesses(folder: string, ids: readonly number[]): Promise<void> {
  const entries = [process.pid, ...ids].map(processEntry);
  await writeFile(join(folder, recordName), JSON.stringify(entries.filter((entry) => entry !== undefined)));
}

async function removeIfDead(folder: string): Promise<void> {
  // A folder without a record is not ours to judge, nor is one that we may not read.
  const text = await readFile(join(folder, recordName), "utf8").catch(() => undefined);
  if (text === undefined) return;
  const [owner, ...programs] = JSON.parse(text) as ProcessEntry[];
  if (owner === undefined || isAlive(owner)) return;
  for (const program of programs.filter(isAlive)) process.kill(program.id, "SIGKILL");
  await rm(folder, { recursive: true, force: true });
}
