import { readFile } from "node:fs/promises";
import { command } from "../world/command.ts";

/** What the kernel says when something in it is wrong. */
const trouble =
  /WARNING|BUG|Oops|RCU|rcu_|stall|refcount_t|general protection|hung task|blocked for more than|Call Trace/;

/** Seconds since the machine started, as the kernel's log has them. */
export async function kernelTime(): Promise<number> {
  return Number((await readFile("/proc/uptime", "utf8")).split(" ")[0]);
}

/** Lines of the kernel's log since then that tell of trouble. */
export async function kernelTrouble(since: number): Promise<readonly string[]> {
  const log = await command("dmesg", []);
  return log.split("\n").filter((line) => {
    const time = /^\[\s*([0-9.]+)\]/.exec(line)?.[1];
    return time !== undefined && Number(time) >= since && trouble.test(line);
  });
}
