import { type FSWatcher, watch } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";

/** Path → text; a file that does not exist is left out. */
export type FileTexts = ReadonlyMap<string, string>;

export interface WatchedFilesOptions {
  /** Files are read when nothing has changed beside them for this time, so that all of a set are there; default 100 ms. */
  readonly quietMs?: number;
  /** They are looked at again after this time, should a notification be lost; default 10,000 ms. */
  readonly rescanMs?: number;
}

/**
 * Follows a few small files, as Kubernetes mounts them: their folders are watched, since what changes there is a link
 * that all of them are reached by.
 */
export class WatchedFiles {
  private readonly paths: readonly string[];
  private readonly options: Required<WatchedFilesOptions>;
  private readonly watchers: FSWatcher[] = [];
  private rescan: NodeJS.Timeout | undefined;
  private timer: NodeJS.Timeout | undefined;
  private work: Promise<void> = Promise.resolve();
  private known = "";

  constructor(paths: readonly string[], options: WatchedFilesOptions = {}) {
    this.paths = paths;
    this.options = { quietMs: 100, rescanMs: 10_000, ...options };
  }

  /** @throws Error if a file is there and cannot be read */
  async read(): Promise<FileTexts> {
    const texts = new Map<string, string>();
    for (const path of this.paths) {
      const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
        throw error;
      });
      if (text !== undefined) texts.set(path, text);
    }
    return texts;
  }

  /**
   * Follows the files until closed.
   * @param known what was read last, whose return is no change
   * @param onChange takes what is there now; never called while an earlier call is under way
   * @param onError told why files cannot be read, and what `onChange` throws
   */
  follow(
    known: FileTexts,
    onChange: (texts: FileTexts) => Promise<void>,
    onError: (error: Error) => void,
  ): void {
    this.known = fingerprint(known);
    const look = (): void => {
      this.work = this.work.then(() => this.look(onChange)).catch(onError);
    };
    for (const folder of new Set(this.paths.map((path) => dirname(path)))) this.watch(folder, look);
    this.rescan = setInterval(look, this.options.rescanMs);
    // What changed before the folders were watched.
    look();
  }

  async close(): Promise<void> {
    clearInterval(this.rescan);
    clearTimeout(this.timer);
    for (const watcher of this.watchers) watcher.close();
    await this.work;
  }

  private watch(folder: string, look: () => void): void {
    try {
      const watcher = watch(folder, () => {
        clearTimeout(this.timer);
        this.timer = setTimeout(look, this.options.quietMs);
      });
      this.watchers.push(watcher.on("error", () => watcher.close()));
    } catch {
      // A folder that cannot be watched is looked at every `rescanMs`.
    }
  }

  private async look(onChange: (texts: FileTexts) => Promise<void>): Promise<void> {
    const texts = await this.read();
    const found = fingerprint(texts);
    if (found === this.known) return;
    this.known = found;
    await onChange(texts);
  }
}

const fingerprint = (texts: FileTexts): string => JSON.stringify([...texts]);
