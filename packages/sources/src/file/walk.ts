import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";

const extensions = new Set([".yaml", ".yml", ".json"]);

/** How deep below the directory files are looked for. */
const maximumDepth = 8;

/** What stands below a directory. */
export interface Found {
  /** Paths of files with a wanted name, and of what may be one and cannot be looked at. */
  readonly files: Set<string>;
  /** Path → what tells the directory from another one that takes its place. */
  readonly directories: Map<string, string>;
  /** Directories that cannot be listed → why. */
  readonly unlisted: Map<string, Error>;
}

/** Names that begin with a dot are left out, which makes a mounted ConfigMap's own bookkeeping invisible. */
export const isWanted = (path: string): boolean =>
  extensions.has(extname(path)) && !basename(path).startsWith(".");

/**
 * Finds files and directories; links are followed, since a mounted ConfigMap is made of them, but never back to a
 * directory that they are in.
 * @throws Error if the directory itself cannot be listed
 */
export async function walk(root: string): Promise<Found> {
  const found: Found = { files: new Set(), directories: new Map(), unlisted: new Map() };
  await visit(root, [], found);
  const why = found.unlisted.get(root);
  if (why !== undefined) throw why;
  return found;
}

async function visit(directory: string, above: readonly string[], found: Found): Promise<void> {
  try {
    const { dev, ino } = await stat(directory, { bigint: true });
    const identity = `${dev} ${ino}`;
    if (above.includes(identity) || above.length === maximumDepth) return;
    const entries = await readdir(directory, { withFileTypes: true });
    found.directories.set(directory, identity);
    for (const entry of entries.filter(({ name }) => !name.startsWith("."))) {
      await visitEntry(join(directory, entry.name), entry, [...above, identity], found);
    }
  } catch (error) {
    // What vanishes meanwhile is not there; the notification about it leads to another look.
    if (above.length === 0 || !isGone(error)) found.unlisted.set(directory, asError(error));
  }
}

async function visitEntry(
  path: string,
  entry: Dirent,
  above: readonly string[],
  found: Found,
): Promise<void> {
  try {
    // Only a link has to be looked at by itself: among thousands of files that takes most of the time.
    const target = entry.isSymbolicLink() ? await stat(path) : entry;
    if (target.isDirectory()) await visit(path, above, found);
    else if (target.isFile() && isWanted(path)) found.files.add(path);
  } catch (error) {
    if (!isGone(error) && isWanted(path)) found.files.add(path);
  }
}

/** Whether an error says that something is not there (any more). */
export function isGone(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}

export const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
