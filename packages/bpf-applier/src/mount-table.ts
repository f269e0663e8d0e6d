import { readFile } from "node:fs/promises";

export interface Mount {
  readonly path: string;
  readonly type: string;
}

/** Parses the kernel's mount table (proc(5), /proc/self/mounts), whose spaces are written as \040. */
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
