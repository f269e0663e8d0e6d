import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { cgroup2Mount } from "../../pins.ts";

/**
 * The cgroup v2 folder that this process is in. In a container with a cgroup namespace its name is not the folder's below a
 * mount of the whole tree, which is then looked through.
 * @throws Error if it is not there, as where processes of the node cannot be seen
 */
export async function ownCgroup(): Promise<string> {
  const mount = await cgroup2Mount();
  const named = /^0::(.*)$/m.exec(await readFile("/proc/self/cgroup", "utf8"))?.[1] ?? "/";
  const found = (await isOwn(join(mount, named))) ? join(mount, named) : await findOwn(mount);
  if (found !== undefined) return found;
  throw new Error(
    `no cgroup below ${mount} holds this process (${process.pid}); it must see the node's processes and cgroups`,
  );
}

async function isOwn(folder: string): Promise<boolean> {
  const processes = await readFile(join(folder, "cgroup.procs"), "utf8").catch(() => "");
  return processes.split("\n").includes(String(process.pid));
}

async function findOwn(folder: string): Promise<string | undefined> {
  if (await isOwn(folder)) return folder;
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const found = entry.isDirectory() ? await findOwn(join(folder, entry.name)) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}
