import { readFile, stat } from "node:fs/promises";
import type { Problem } from "@keelson/model";
import type { SourceSnapshot } from "../config-source.ts";
import { type FileContent, readConfigFile } from "./config-file.ts";

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

  get paths(): Iterable<string> {
    return this.files.keys();
  }

  /** Objects and problems of all files, in the order of their paths. */
  snapshot(): SourceSnapshot {
    const files = [...this.files].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, file]) => file);
    return {
      objects: files.flatMap(({ content }) => content?.objects ?? []),
      problems: files.flatMap(({ problems }) => problems),
    };
  }

  remove(path: string): boolean {
    return this.files.delete(path);
  }

  /** Whether a file that had content is now empty: most likely its writer has just truncated it. */
  async isJustTruncated(path: string): Promise<boolean> {
    const { size } = await stat(path).catch(() => ({ size: -1 }));
    return size === 0 && (this.files.get(path)?.content?.objects.length ?? 0) > 0;
  }

  /** Reads the file if it changed. @returns whether it did. */
  async update(path: string): Promise<boolean> {
    const known = this.files.get(path);
    let stamp = "";
    try {
      const { mtimeNs, size, ino } = await stat(path, { bigint: true });
      stamp = `${mtimeNs} ${size} ${ino}`;
      if (known?.stamp === stamp) return false;
      if (size > maximumFileBytes)
        throw new Error(`${size} bytes are more than the ${maximumFileBytes} a file may have`);
      this.files.set(
        path,
        this.take(stamp, known, readConfigFile(await readFile(path, "utf8"), path, known?.content)),
      );
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return this.remove(path);
      this.files.set(path, { stamp, content: known?.content, problems: [unreadable(path, error as Error)] });
    }
    return true;
  }

  private take(stamp: string, known: KnownFile | undefined, content: FileContent): KnownFile {
    const broken = content.problems.some(({ severity }) => severity === "error");
    if (!broken || known?.content === undefined) return { stamp, content, problems: content.problems };
    return { stamp, content: known.content, problems: content.problems };
  }
}

function unreadable(file: string, error: Error): Problem {
  return {
    severity: "error",
    message: `cannot be read: ${error.message}`,
    object: "",
    field: "",
    location: { file },
  };
}
