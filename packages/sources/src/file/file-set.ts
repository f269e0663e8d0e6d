import type { BigIntStats } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import type { KnownObject, Problem } from "@keelson/model";
import type { SourceSnapshot } from "../config-source.ts";
import { type FileContent, readConfigFile } from "./config-file.ts";
import { asError, isGone } from "./walk.ts";

/** A larger file is refused: reading it would hold up everything else. */
const maximumFileBytes = 64 * 1024 * 1024;

interface KnownFile {
  /** Changes whenever the file does: modification time, size, inode. */
  readonly stamp: string;
  /** The last content without errors; for a file that never had one, what could be read of it. */
  readonly content: FileContent | undefined;
  /** What is wrong with the file as it stands now. */
  readonly problems: readonly Problem[];
}

/** The files of a directory as they were last good. */
export class FileSet {
  private readonly files = new Map<string, KnownFile>();
  /** Paths in their order; undefined when it must be found anew. */
  private order: readonly string[] | undefined;

  get paths(): Iterable<string> {
    return this.files.keys();
  }

  /** Objects and problems of all files, in the order of their paths. */
  snapshot(): SourceSnapshot {
    this.order ??= [...this.files.keys()].sort();
    const objects: KnownObject[] = [];
    const problems: Problem[] = [];
    for (const path of this.order) {
      const file = this.files.get(path);
      for (const object of file?.content?.objects ?? []) objects.push(object);
      for (const problem of file?.problems ?? []) problems.push(problem);
    }
    return { objects, problems };
  }

  remove(path: string): boolean {
    this.order = undefined;
    return this.files.delete(path);
  }

  /** Whether a file that had content is now empty: most likely its writer has just truncated it. */
  async isJustTruncated(path: string): Promise<boolean> {
    const { size } = await stat(path).catch(() => ({ size: -1 }));
    return size === 0 && (this.files.get(path)?.content?.objects.length ?? 0) > 0;
  }

  /** Whether the file is as it was when it was read, by all that can be told without reading it. */
  async seemsUnchanged(path: string): Promise<boolean> {
    const known = this.files.get(path);
    if (known === undefined) return false;
    return stat(path, { bigint: true }).then(
      (found) => found.isFile() && stampOf(found) === known.stamp,
      () => false,
    );
  }

  /**
   * Reads the file.
   * @returns whether its objects or problems are others now.
   */
  async update(path: string): Promise<boolean> {
    const known = this.files.get(path);
    const next = await readKnown(path, known);
    if (next === undefined) return this.remove(path);
    if (known === undefined) this.order = undefined;
    this.files.set(path, next);
    return known === undefined || !isSame(known, next);
  }
}

/** @returns undefined if there is no such file. */
async function readKnown(path: string, known: KnownFile | undefined): Promise<KnownFile | undefined> {
  let stamp = "";
  try {
    const found = await stat(path, { bigint: true });
    // Reading a pipe would wait for ever.
    if (!found.isFile()) return undefined;
    stamp = stampOf(found);
    if (found.size > maximumFileBytes)
      throw new Error(`${found.size} bytes are more than the ${maximumFileBytes} a file may have`);
    return lastGood(stamp, known, readConfigFile(await readFile(path, "utf8"), path, known?.content));
  } catch (error) {
    if (isGone(error)) return undefined;
    return { stamp, content: known?.content, problems: [unreadable(path, asError(error))] };
  }
}

const stampOf = ({ mtimeNs, size, ino }: BigIntStats): string => `${mtimeNs} ${size} ${ino}`;

function lastGood(stamp: string, known: KnownFile | undefined, fresh: FileContent): KnownFile {
  const keepsOld = known?.content !== undefined && !isBroken(known.content) && isBroken(fresh);
  return { stamp, content: keepsOld ? known.content : fresh, problems: fresh.problems };
}

const isBroken = ({ problems }: FileContent): boolean =>
  problems.some(({ severity }) => severity === "error");

function isSame(a: KnownFile, b: KnownFile): boolean {
  const [these, those] = [a.content?.objects ?? [], b.content?.objects ?? []];
  return (
    these.length === those.length &&
    these.every((object, i) => object === those[i]) &&
    JSON.stringify(a.problems) === JSON.stringify(b.problems)
  );
}

function unreadable(file: string, { message }: Error): Problem {
  return {
    severity: "error",
    message: `cannot be read: ${message}`,
    object: "",
    field: "",
    location: { file },
  };
}
