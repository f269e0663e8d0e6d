import { readlink } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

/** More links than a path of an image has. */
const mostLinks = 20;

/**
 * Where a path of a container is for those outside: links are followed as they are seen inside ("/var/run" is one, to
 * "/run"), never to this machine's own files.
 */
export async function insideRoot(root: string, path: string): Promise<string> {
  let rest = resolve("/", path).split("/").filter(Boolean);
  let done = "/";
  for (let links = 0; rest.length > 0; ) {
    const [name = "", ...others] = rest;
    const next = join(done, name);
    const target = await readlink(join(root, next)).catch(() => undefined);
    if (target === undefined) {
      done = next;
      rest = others;
      continue;
    }
    if (++links > mostLinks) throw new Error(`${path} has too many links in ${root}`);
    rest = [...resolve(dirname(next), target).split("/").filter(Boolean), ...others];
    done = "/";
  }
  return join(root, done);
}
