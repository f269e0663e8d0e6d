import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { mountBpffs, unpin } from "../kernel.ts";

const prefix = "keelson-bmn-";
const bpffs = "/sys/fs/bpf";
let counter = 0;

/** `keelson-bmn-<pid>-<n>`: whose process is gone is left over from a crash. */
function freshName(): string {
  return `${prefix}${String(process.pid)}-${String(counter++)}`;
}

function leftOver(name: string): boolean {
  return name.startsWith(prefix) && !existsSync(`/proc/${name.slice(prefix.length).split("-")[0] ?? ""}`);
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

/** Where cgroup v2 is mounted; it may be below a v1 hierarchy. */
function cgroupRoot(): string {
  const line = readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .find((mount) => mount.split(" ")[2] === "cgroup2");
  const path = line?.split(" ")[1];
  if (path === undefined) throw new Error("no cgroup v2 in /proc/mounts");
  return path;
}

/** A network namespace with its loopback up; `path` is for setns. */
export function makeNamespace(): Disposable & { name: string; path: string } {
  for (const name of namesIn("/run/netns").filter(leftOver)) execFileSync("ip", ["netns", "del", name]);
  const name = freshName();
  execFileSync("ip", ["netns", "add", name]);
  execFileSync("ip", ["-n", name, "link", "set", "lo", "up"]);
  return {
    name,
    path: `/run/netns/${name}`,
    [Symbol.dispose]: () => void execFileSync("ip", ["netns", "del", name]),
  };
}

/** A cgroup of its own below the root. */
export function makeCgroup(): Disposable & { path: string } {
  const root = cgroupRoot();
  for (const name of readdirSync(root).filter(leftOver)) rmdirSync(join(root, name));
  const path = join(root, freshName());
  mkdirSync(path);
  return { path, [Symbol.dispose]: () => void rmdirSync(path) };
}

/** A folder on a bpffs. */
export function makePinFolder(): Disposable & { path: string } {
  mountBpffs(bpffs);
  for (const name of namesIn(bpffs).filter(leftOver)) removePins(join(bpffs, name));
  const path = join(bpffs, freshName());
  mkdirSync(path);
  return {
    path,
    [Symbol.dispose]: () => {
      removePins(path);
    },
  };
}

function removePins(folder: string): void {
  for (const name of readdirSync(folder)) unpin(join(folder, name));
  rmdirSync(folder);
}

/** Runs a Node script in a cgroup and a namespace and gives what it printed. */
export async function runInside(
  place: { cgroup: string; netns: string },
  script: string,
  ...parameters: string[]
): Promise<string> {
  const enter = 'echo $$ > "$1/cgroup.procs" && shift && exec ip netns exec "$@"';
  const node = [process.execPath, "--input-type=module", "-e", script, ...parameters];
  const { stdout } = await promisify(execFile)(
    "sh",
    ["-c", enter, "sh", place.cgroup, place.netns, ...node],
    { timeout: 20_000 },
  );
  return stdout;
}
