import { mkdir, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { mountOf, mounts } from "@keelson/bpf-applier/mount-table";
import { command } from "./command.ts";
import { worldsFolder } from "./names.ts";

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
