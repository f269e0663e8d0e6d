import type { FileSet } from "./file-set.ts";
import { walk } from "./walk.ts";

/** Files that are looked at before others get their turn: about a millisecond's work. */
const atOnce = 32;

/**
 * Looks for what differs from what was read, though no notification told of it, a few files at a time: a look at ten
 * thousand takes half a second, in which changes must be read and proxies be told.
 * @param watched directory → as in Found.directories
 * @returns paths that need a look; the directory itself, if everything does
 */
export async function* unseenChanges(
  directory: string,
  files: FileSet,
  watched: ReadonlyMap<string, string>,
): AsyncGenerator<string> {
  const found = await walk(directory).catch(() => undefined);
  if (found === undefined || found.unlisted.size > 0 || !isSame(found.directories, watched)) {
    yield directory;
    return;
  }
  for (const path of files.paths) if (!found.files.has(path)) yield path;
  const paths = [...found.files];
  for (let from = 0; from < paths.length; from += atOnce) {
    const some = paths.slice(from, from + atOnce);
    const unchanged = await Promise.all(some.map((path) => files.seemsUnchanged(path)));
    yield* some.filter((_, i) => unchanged[i] === false);
  }
}

const isSame = (these: ReadonlyMap<string, string>, those: ReadonlyMap<string, string>): boolean =>
  these.size === those.size && [...these].every(([path, identity]) => those.get(path) === identity);
