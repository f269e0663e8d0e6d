import { mkdir, readFile, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { command } from "./command.ts";
import { worldsFolder } from "./names.ts";

export interface Mount {
  readonly path: string;
  readonly type: string;
}

/** Parses /proc/self/mounts, where spaces are written as \040 (proc(5)). */
export function parseMounts(table: string): Mount[] {
  return table
    .split("\n")
    .map((line) => line.split(" "))
    .filter((fields) => fields.length >= 3)
    .map(([, path = "", type = ""]) => ({
      path: path.replace(/\\([0-7]{3})/g, (_, octal: string) =>
        String.fromCharCode(Number.parseInt(octal, 8)),
      ),
      type,
    }));
}

export async function mounts(): Promise<Mount[]> {
  return parseMounts(await readFile("/proc/self/mounts", "utf8"));
}

/** Where a file system of this type is mounted first; undefined if nowhere. */
export async function mountOf(type: string): Promise<string | undefined> {
  return (await mounts()).find((mount) => mount.type === type)?.path;
}

/** cgroup v2 is mounted here by `ensureCgroup2` on machines that have it nowhere, such as a bare chroot. */
const ownCgroup2 = join(worldsFolder, ".cgroup2");

/** Where cgroup v2 is mounted; it may be a sub-folder beside v1 controllers. Mounted by us if it is nowhere. */
export async function ensureCgroup2(): Promise<string> {
  const found = await mountOf("cgroup2");
  if (found !== undefined) return found;
  await mkdir(ownCgroup2, { recursive: true });
  await command("mount", ["-t", "cgroup2", "none", ownCgroup2]);
  return ownCgroup2;
}

/** Takes away what `ensureCgroup2` mounted, if it did. */
export async function dropOwnCgroup2(): Promise<void> {
  if (!(await mounts()).some((mount) => mount.path === ownCgroup2)) return;
  await command("umount", [ownCgroup2]);
  await rmdir(ownCgroup2);
}
