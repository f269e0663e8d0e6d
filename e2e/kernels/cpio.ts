import { createWriteStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";

/** A file the guest shall find: copied from the host, written out here, or a symbolic link. Paths are absolute. */
export type GuestFile =
  | { path: string; from: string; mode?: number }
  | { path: string; content: string | Uint8Array; mode?: number }
  | { path: string; link: string };

/** The host copy needs no mode from its owner: root in the guest reads all, so only "executable" is of interest. */
const defaultMode = 0o755;

const types = { file: 0o100000, directory: 0o040000, link: 0o120000, device: 0o020000 } as const;

interface Entry {
  path: string;
  mode: number;
  data: Uint8Array;
  /** Major and minor number of a character device. */
  device?: readonly [number, number];
}

/**
 * One entry in the "newc" format that the kernel unpacks (Documentation/driver-api/early-userspace/buffer-format):
 * an ASCII header of 6 + 13 x 8 digits, the name with its NUL, then the data, each padded to 4 bytes.
 */
function encodeEntry(entry: Entry, inode: number): Uint8Array[] {
  const name = Buffer.from(`${entry.path.replace(/^\/+/, "")}\0`);
  const [major, minor] = entry.device ?? [0, 0];
  // inode, mode, uid, gid, links, mtime, size, device of the file system, device, name size, checksum
  const fields = [inode, entry.mode, 0, 0, 1, 0, entry.data.length, 0, 0, major, minor, name.length, 0];
  const header = Buffer.from(`070701${fields.map((n) => n.toString(16).padStart(8, "0")).join("")}`);
  const head = Buffer.concat([header, name]);
  return [head, padding(head.length, 4), entry.data, padding(entry.data.length, 4)];
}

/** The name that ends an archive; another one may follow it in the same image. */
const trailer: Entry = { path: "TRAILER!!!", mode: 0, data: new Uint8Array() };

/** Directories that must exist for these files, parents first. */
export function parentDirectories(paths: Iterable<string>): string[] {
  const directories = new Set<string>();
  for (const path of paths) {
    for (let d = dirname(path); d !== "/" && d !== "."; d = dirname(d)) directories.add(d);
  }
  return [...directories].sort();
}

/**
 * Writes an archive with the files and their parent directories; later files of the same path win.
 * `console` adds /dev/console, without which the kernel gives init no stdout.
 */
export async function writeCpio(
  target: string,
  files: readonly GuestFile[],
  options: { console?: boolean } = {},
): Promise<void> {
  const byPath = new Map(files.map((file) => [file.path, file]));
  await pipeline(archive([...byPath.values()], options.console ?? false), createWriteStream(target));
}

async function* archive(files: readonly GuestFile[], withConsole: boolean): AsyncGenerator<Uint8Array> {
  let inode = 1;
  let size = 0;
  for await (const entry of entries(files, withConsole)) {
    for (const chunk of encodeEntry(entry, inode++)) {
      size += chunk.length;
      if (chunk.length > 0) yield chunk;
    }
  }
  yield padding(size, 512);
}

async function* entries(files: readonly GuestFile[], withConsole: boolean): AsyncGenerator<Entry> {
  const none = new Uint8Array();
  const paths = [...files.map((file) => file.path), ...(withConsole ? ["/dev/console"] : [])];
  for (const path of parentDirectories(paths)) yield { path, mode: types.directory | 0o755, data: none };
  if (withConsole) yield { path: "/dev/console", mode: types.device | 0o600, data: none, device: [5, 1] };
  for (const file of files) yield await toEntry(file);
  yield trailer;
}

async function toEntry(file: GuestFile): Promise<Entry> {
  if ("link" in file) return { path: file.path, mode: types.link | 0o777, data: Buffer.from(file.link) };
  const data = "from" in file ? await readFile(file.from) : Buffer.from(file.content);
  return { path: file.path, mode: types.file | (file.mode ?? defaultMode), data };
}

function padding(length: number, unit: number): Uint8Array {
  return new Uint8Array((unit - (length % unit)) % unit);
}
