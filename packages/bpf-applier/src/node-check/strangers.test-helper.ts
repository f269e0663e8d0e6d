// Other agents' programs, for tests: really in the kernel, on cgroups that the tests make.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resourcePrefix } from "@keelson/model/names";
import { BpfObject } from "bpf-maps-native";

/** test/strangers.bpf.c, loaded. */
export async function loadStrangers(): Promise<BpfObject> {
  const folder = mkdtempSync(join(tmpdir(), resourcePrefix));
  try {
    const file = join(folder, "strangers.bpf.o");
    const source = join(import.meta.dirname, "../../test/strangers.bpf.c");
    const machine = execFileSync("cc", ["-print-multiarch"], { encoding: "utf8" }).trim();
    const flags = "-O2 -g -target bpf -mcpu=v3 -Wall -Wextra -Wno-unused-parameter -Werror".split(" ");
    execFileSync("clang", [...flags, `-I/usr/include/${machine}`, "-c", source, "-o", file]);
    const object = await BpfObject.open(readFileSync(file));
    await object.load();
    return object;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Two new cgroups, one in the other; what hangs on them goes with them, and what a crashed run left goes first. */
export function makeCgroups(mount: string): Disposable & { outer: string; inner: string } {
  const prefix = `${resourcePrefix}check-`;
  const remove = (name: string): void => {
    for (const path of [join(mount, name, "inner"), join(mount, name)]) rmdirSync(path);
  };
  for (const name of readdirSync(mount)) {
    const isLeftOver = name.startsWith(prefix) && !isRunning(name.slice(prefix.length));
    if (isLeftOver) remove(name);
  }
  const name = `${prefix}${process.pid}`;
  const outer = join(mount, name);
  mkdirSync(join(outer, "inner"), { recursive: true });
  return { outer, inner: join(outer, "inner"), [Symbol.dispose]: () => remove(name) };
}

function isRunning(pid: string): boolean {
  try {
    return process.kill(Number(pid), 0);
  } catch {
    return false;
  }
}
