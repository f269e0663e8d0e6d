import { readdir, readFile } from "node:fs/promises";

/** What a process and all that it started have used, from /proc. */
export interface ProcessCost {
  /** Of all CPUs, in user and kernel mode, since they were started; of threads that live. */
  readonly cpuSeconds: number;
  /** Physical memory now. What processes share counts for each. */
  readonly rssBytes: number;
  /** The most that each of them ever had, added up. */
  readonly peakRssBytes: number;
}

/** @throws Error if there is no such process. */
export async function processCost(pid: number): Promise<ProcessCost> {
  const threads = await readdir(`/proc/${pid}/task`);
  const pids = await Promise.all(threads.map((thread) => childrenOf(pid, thread)));
  const children = await Promise.all(pids.flat().map(processCost));
  const own = await ownCost(pid, threads);
  const sum = (part: keyof ProcessCost): number =>
    [own, ...children].reduce((total, cost) => total + cost[part], 0);
  return {
    cpuSeconds: sum("cpuSeconds"),
    rssBytes: sum("rssBytes"),
    peakRssBytes: sum("peakRssBytes"),
  };
}

async function childrenOf(pid: number, thread: string): Promise<number[]> {
  const list = await readFile(`/proc/${pid}/task/${thread}/children`, "utf8");
  return list.split(" ").filter(Boolean).map(Number);
}

async function ownCost(pid: number, threads: readonly string[]): Promise<ProcessCost> {
  const nanoseconds = await Promise.all(threads.map((thread) => runTime(pid, thread)));
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return {
    cpuSeconds: nanoseconds.reduce((total, each) => total + each, 0) / 1e9,
    rssBytes: kibibytes(status, "VmRSS") * 1024,
    peakRssBytes: kibibytes(status, "VmHWM") * 1024,
  };
}

/** In ns: of a thread that lives, and far more exact than what /proc/PID/stat says of a process. */
async function runTime(pid: number, thread: string): Promise<number> {
  const statistics = await readFile(`/proc/${pid}/task/${thread}/schedstat`, "utf8");
  return Number(statistics.split(" ")[0]);
}

function kibibytes(status: string, field: string): number {
  const found = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)?.[1];
  if (found === undefined) throw new Error(`/proc/PID/status has no ${field}; the process may have ended`);
  return Number(found);
}
