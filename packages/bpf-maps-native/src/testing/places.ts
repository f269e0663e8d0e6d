import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mountBpffs } from "../kernel.ts";

const prefix = "keelson-bmn-";
let counter = 0;

/** `keelson-bmn-<pid>-<n>`: whose process is gone is left over from a crash. */
function freshName(): string {
  return `${prefix}${String(process.pid)}-${String(counter++)}`;
}

/** Removes what a crashed run left in a folder. Several workers may do so at once: who comes second finds it gone. */
function removeLeftOvers(folder: string, remove: (name: string) => void): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(prefix)) continue;
    if (existsSync(`/proc/${name.slice(prefix.length).split("-")[0] ?? ""}`)) continue;
    try {
      remove(name);
    } catch (error) {
      if (existsSync(join(folder, name))) throw error;
    }
  }
}

/** Where cgroup v2 is mounted; it may be below a v1 hierarchy. */
function cgroupRoot(): string {
  const mounts = readFileSync("/proc/mounts", "utf8").split("\n");
  const path = mounts.map((line) => line.split(" ")).find(([, , type]) => type === "cgroup2")?.[1];
  if (path === undefined) throw new Error("no cgroup v2 in /proc/mounts");
  return path;
}

function deleteNamespace(name: string): void {
  execFileSync("ip", ["netns", "del", name], { stdio: "pipe" });
}

/** A network namespace with its loopback up; `path` is for setns. */
export function makeNamespace(): Disposable & { name: string; path: string } {
  removeLeftOvers("/run/netns", deleteNamespace);
  const name = freshName();
  execFileSync("ip", ["netns", "add", name]);
  // Not "ip -n", which mounts, and so fails in a chroot whose "/" is no mount point.
  execFileSync("nsenter", [`--net=/run/netns/${name}`, "ip", "link", "set", "lo", "up"]);
  return {
    name,
    path: `/run/netns/${name}`,
    [Symbol.dispose]() {
      deleteNamespace(name);
    },
  };
}

/** A cgroup of its own, below the root if not in another. */
export function makeCgroup(root = cgroupRoot()): Disposable & { path: string } {
  const remove = (name: string) => {
    rmdirSync(join(root, name));
  };
  removeLeftOvers(root, remove);
  const name = freshName();
  mkdirSync(join(root, name));
  return {
    path: join(root, name),
    [Symbol.dispose]() {
      remove(name);
    },
  };
}

function unmount(folder: string): void {
  const mounted = readFileSync("/proc/mounts", "utf8").includes(` ${folder} `);
  if (mounted) execFileSync("umount", ["-l", folder]);
  rmSync(folder, { recursive: true });
}

/** An empty folder; what is mounted on it or lies in it goes with it. */
export function makeFolder(): Disposable & { path: string } {
  removeLeftOvers(tmpdir(), (name) => {
    unmount(join(tmpdir(), name));
  });
  const path = mkdtempSync(join(tmpdir(), `${freshName()}-`));
  return {
    path,
    [Symbol.dispose]() {
      unmount(path);
    },
  };
}

/** A bpffs of its own: its pins are gone with it. */
export function makePinFolder(): Disposable & { path: string } {
  const folder = makeFolder();
  mountBpffs(folder.path);
  return folder;
}
