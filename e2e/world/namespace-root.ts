// ip(8) can enter a namespace only where "/" is a mount point, and stand-in files only stand in for what is there. A
// bare chroot has neither, so worlds bring both.
import { existsSync, readFileSync } from "node:fs";
import { mkdir, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { mounts, parseMounts } from "@keelson/bpf-applier/mount-table";
import { command } from "./command.ts";
import { worldsFolder } from "./names.ts";

const mountTable = "/proc/self/mounts";
/** Without /proc nothing here can work, which `missingForKernel` says better than an error at import. */
const rootIsMount =
  !existsSync(mountTable) || parseMounts(readFileSync(mountTable, "utf8")).some(({ path }) => path === "/");

/** "/" once more, as a mount point. */
const ownRoot = join(worldsFolder, ".root");

/** A command line for ip(8) that makes, enters or removes a namespace. */
export const inNamespaceRoot = (...line: [string, ...string[]]): [string, ...string[]] =>
  rootIsMount ? line : ["chroot", ownRoot, ...line];

const hostsPath = "/etc/hosts";
const ownHosts =
  "# made for Keelson's test worlds, as there was none\n127.0.0.1\tlocalhost\n::1\tlocalhost\n";

/** To be called before the first namespace is made. */
export async function ensureNamespaceRoot(): Promise<void> {
  await writeFile(hostsPath, ownHosts, { flag: "wx" }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  if (rootIsMount || (await isMounted())) return;
  await mkdir(ownRoot, { recursive: true });
  await command("mount", ["--rbind", "/", ownRoot]);
  // Else unmounting the copy could take the original's mounts along (mount_namespaces(7), propagation).
  await command("mount", ["--make-rprivate", ownRoot]);
}

/** Takes away what `ensureNamespaceRoot` made; to be called when no world is left. */
export async function dropNamespaceRoot(): Promise<void> {
  if ((await readFile(hostsPath, "utf8").catch(() => "")) === ownHosts) await rm(hostsPath);
  if (!(await isMounted())) return;
  await command("mount", ["--make-rprivate", ownRoot]);
  await command("umount", ["--lazy", ownRoot]);
  await rmdir(ownRoot);
}

const isMounted = async (): Promise<boolean> => (await mounts()).some(({ path }) => path === ownRoot);
