import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cgroupAt } from "./pod-tree.ts";

/**
 * The folder of the cgroup v2 that a process is in.
 * @param own /proc/PID/cgroup (cgroups(7)): its path, as seen from its cgroup namespace
 * @param mounts /proc/PID/mountinfo (proc(5)), of which a mount counts that shows that namespace from its root
 * @returns undefined if it is in none, or none is mounted so
 */
export function cgroupFolderIn(own: string, mounts: string): string | undefined {
  const path = /^0::(\/.*)$/m.exec(own)?.[1];
  if (path === undefined) return undefined;
  for (const line of mounts.split("\n")) {
    const [fields = "", type = ""] = line.split(" - ");
    const [, , , root, mountPoint] = fields.split(" ");
    if (type.startsWith("cgroup2 ") && root === "/" && mountPoint !== undefined)
      return join(mountPoint, path);
  }
  return undefined;
}

/** Id of the cgroup that this process is in, as programs know it; undefined where that cannot be seen. */
export function ownCgroupId(): bigint | undefined {
  const folder = cgroupFolderIn(
    readFileSync("/proc/self/cgroup", "utf8"),
    readFileSync("/proc/self/mountinfo", "utf8"),
  );
  return folder === undefined ? undefined : cgroupAt(folder)?.id;
}
