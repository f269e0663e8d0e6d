import { realpath } from "node:fs/promises";
import type { GuestFile } from "./cpio.ts";
import { exec, findProgram } from "./exec.ts";

/**
 * Programs of the host that every guest gets; node itself is the one that runs this. dash is the shell because
 * Debian's busybox shell prefers its own `ip`, which knows no namespaces, to the one in PATH.
 */
const requiredPrograms = ["dash", "ip", "tc", "ss", "setpriv", "flock"] as const;
/** Of use for looking around in a guest. */
const optionalPrograms = ["bpftool"] as const;
/** What the native addon may link or open, also when it is not built yet. */
const libraries = ["libbpf.so.1", "libelf.so.1", "libz.so.1"] as const;

/** Node, iproute2, setpriv, flock, busybox and the shared libraries they and the addon need. */
export async function collectHostTools(): Promise<GuestFile[]> {
  const files: GuestFile[] = [
    { path: "/usr/local/bin/node", from: process.execPath },
    { path: "/bin/sh", link: "../usr/bin/dash" },
  ];
  for (const name of [...requiredPrograms, ...optionalPrograms]) {
    const path = await findProgram(name);
    if (path) files.push({ path: `/usr/bin/${name}`, from: await realpath(path) });
    else if ((requiredPrograms as readonly string[]).includes(name))
      throw new Error(
        `${name} is not installed on this machine; Debian's dash, iproute2 and util-linux have these`,
      );
  }
  files.push(...(await busybox()), ...(await namedLibraries()));
  files.push(...(await sharedLibraries(files.flatMap((file) => ("from" in file ? [file.from] : [])))));
  return files;
}

async function busybox(): Promise<GuestFile[]> {
  const path = await findProgram("busybox");
  if (!path) throw new Error("busybox is not installed; run: node e2e/kernels/setup.ts");
  return [
    { path: "/bin/busybox", from: await realpath(path) },
    // The kernel calls this one by its full path when it wants a module.
    { path: "/sbin/modprobe", link: "../bin/busybox" },
  ];
}

async function namedLibraries(): Promise<GuestFile[]> {
  const known = await exec("ldconfig", ["-p"]);
  const files: GuestFile[] = [];
  for (const name of libraries) {
    const path = known
      .split("\n")
      .find((line) => line.trim().startsWith(`${name} (libc6,x86-64)`))
      ?.split(" => ")[1];
    if (!path)
      throw new Error(`${name} is not known to ldconfig; Debian's libbpf1, libelf1 and zlib1g have these`);
    files.push({ path, from: await realpath(path) });
  }
  return files;
}

/** The shared libraries that these programs, libraries or addons need, under the paths the loader looks for. */
export async function sharedLibraries(files: readonly string[]): Promise<GuestFile[]> {
  const paths = new Set<string>();
  for (const file of files) {
    // ldd fails for a static binary, which needs nothing.
    const listing = await exec("ldd", [file]).catch((error: unknown) => {
      if (String(error).includes("not a dynamic executable")) return "";
      throw error;
    });
    for (const path of parseLdd(listing, file)) paths.add(path);
  }
  return Promise.all([...paths].map(async (path) => ({ path, from: await realpath(path) })));
}

/** The library paths in what ldd prints. Throws when a library is not found. */
export function parseLdd(listing: string, file: string): string[] {
  const missing = /^\s*(\S+) => not found/m.exec(listing)?.[1];
  if (missing) throw new Error(`${file} needs the shared library ${missing}, which is not on this machine`);
  return [...listing.matchAll(/^\s*(?:\S+ => )?(\/\S+) \(0x[0-9a-f]+\)$/gm)].map((match) => match[1] ?? "");
}
