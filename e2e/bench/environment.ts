import { readFile } from "node:fs/promises";
import { arch, cpus, loadavg, release, totalmem } from "node:os";
import { join } from "node:path";
import { command } from "../world/command.ts";
import { workspaceFolder } from "../world/workspace.ts";

/** Where and when figures were taken. */
export interface Environment {
  /** ISO 8601. */
  readonly takenAt: string;
  readonly keelson: string;
  /** Of the checkout, "+" if it has changes; absent where there is none. */
  readonly commit?: string;
  readonly kernel: string;
  readonly architecture: string;
  readonly cpu: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly node: string;
  /** What TCP goes by, as `net.ipv4.tcp_congestion_control` has it: what a packet costs depends on it. */
  readonly congestionControl: string;
  /** Processes that ran or wanted to, on average of the minute before the run: what else the machine was doing. */
  readonly loadBefore: number;
}

export async function environment(): Promise<Environment> {
  const own = await readFile(join(workspaceFolder, "package.json"), "utf8");
  const commit = await commitOf(workspaceFolder);
  const all = cpus();
  return {
    takenAt: new Date().toISOString(),
    keelson: (JSON.parse(own) as { version: string }).version,
    ...(commit === undefined ? {} : { commit }),
    kernel: release(),
    architecture: arch(),
    cpu: all[0]?.model.trim() ?? "unknown",
    cpus: all.length,
    memoryBytes: totalmem(),
    node: process.version,
    congestionControl: (await readFile("/proc/sys/net/ipv4/tcp_congestion_control", "utf8")).trim(),
    loadBefore: loadavg()[0] ?? 0,
  };
}

async function commitOf(folder: string): Promise<string | undefined> {
  try {
    const commit = (await command("git", ["-C", folder, "rev-parse", "--short=12", "HEAD"])).trim();
    const changes = await command("git", ["-C", folder, "status", "--porcelain", "--untracked-files=no"]);
    return changes === "" ? commit : `${commit}+`;
  } catch {
    return undefined;
  }
}

/** In two lines, for above the tables. */
export function environmentText(found: Environment): string {
  const { keelson, commit, node, kernel, cpus: count, cpu, memoryBytes, takenAt, loadBefore } = found;
  const memory = (memoryBytes / 2 ** 30).toFixed(1);
  const build = commit === undefined ? keelson : `${keelson} (${commit})`;
  return [
    `Keelson ${build}, Node ${node}, Linux ${kernel} ${found.architecture}, ${count} × ${cpu}, ${memory} GiB`,
    `taken ${takenAt}, load before ${loadBefore.toFixed(2)}, TCP by ${found.congestionControl}`,
  ].join("\n");
}
