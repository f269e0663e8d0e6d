import { type FSWatcher, watch } from "node:fs";
import { stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Problem } from "@keelson/model";
import type { ConfigSource, SourceEvents, SourceHealth, SourceSnapshot } from "../config-source.ts";
import { Rest } from "../rest.ts";
import { FileSet } from "./file-set.ts";
import { unseenChanges } from "./unseen-changes.ts";
import { asError, type Found, isGone, isWanted, walk } from "./walk.ts";

export interface DirectorySourceOptions {
  /** Changes are read when nothing has changed for this time; default 5 ms. */
  readonly quietMs?: number;
  /** They are read after this time even if something goes on changing; default 100 ms. */
  readonly latestMs?: number;
  /** An emptied file is believed only after this time, since its writer may be about to fill it; default 200 ms. */
  readonly truncatedMs?: number;
  /** Everything is looked at again after this rest, should a notification be lost; default 10,000 ms. */
  readonly rescanMs?: number;
}

interface Watched {
  readonly watcher: FSWatcher;
  /** As in Found.directories. */
  readonly identity: string;
}

/** Objects in the YAML and JSON files of a directory and its sub-directories. A file with errors keeps its last good content. */
export class DirectorySource implements ConfigSource {
  private readonly directory: string;
  private readonly options: Required<DirectorySourceOptions>;
  private readonly files = new FileSet();
  private readonly watched = new Map<string, Watched>();
  private readonly listeners: ((snapshot: SourceSnapshot) => void)[] = [];
  /** Paths that notifications named since the last reading; the directory itself stands for everything. */
  private dirty = new Set<string>();
  /** By performance.now. */
  private dirtySince: number | undefined;
  private readonly rest = new Rest();
  private scanProblems: readonly Problem[] = [];
  private current: SourceSnapshot = { objects: [], problems: [] };
  private timer: NodeJS.Timeout | undefined;
  private rescan: NodeJS.Timeout | undefined;
  private reading: Promise<void> = Promise.resolve();
  private looking: Promise<void> = Promise.resolve();
  private closed = false;

  constructor(directory: string, options: DirectorySourceOptions = {}) {
    this.directory = directory;
    this.options = { quietMs: 5, latestMs: 100, truncatedMs: 200, rescanMs: 10_000, ...options };
  }

  get snapshot(): SourceSnapshot {
    return this.current;
  }

  /** What cannot be read is told as a problem of its file. */
  get health(): SourceHealth {
    return { waiting: {}, failing: {} };
  }

  /** Files tell nothing of single objects. */
  get events(): readonly SourceEvents[] {
    return [];
  }

  onChange(listener: (snapshot: SourceSnapshot) => void): void {
    this.listeners.push(listener);
  }

  async start(): Promise<void> {
    await this.scan();
    this.publish();
    this.lookAgain();
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    clearTimeout(this.rescan);
    for (const { watcher } of this.watched.values()) watcher.close();
    await Promise.all([this.reading, this.looking]);
  }

  /** After a rest, and then again and again. */
  private lookAgain(): void {
    if (this.closed) return;
    this.rescan = setTimeout(() => {
      this.looking = this.noteUnseen().then(() => this.lookAgain());
    }, this.options.rescanMs);
  }

  private async noteUnseen(): Promise<void> {
    // Whether a problem is still there is found by looking at everything.
    if (this.scanProblems.length > 0) this.note(this.directory);
    const directories = new Map([...this.watched].map(([path, { identity }]) => [path, identity]));
    for await (const path of unseenChanges(this.directory, this.files, directories)) {
      if (this.closed) return;
      this.note(path);
    }
  }

  private note(path: string): void {
    if (this.closed) return;
    this.dirty.add(path);
    const now = performance.now();
    this.dirtySince ??= now;
    const { quietMs, latestMs } = this.options;
    clearTimeout(this.timer);
    this.timer = setTimeout(
      () => {
        this.reading = this.reading.then(() => this.readDirty());
      },
      Math.max(this.rest.left, Math.min(quietMs, this.dirtySince + latestMs - now)),
    );
  }

  private async readDirty(): Promise<void> {
    if (this.closed || this.dirty.size === 0) return;
    const paths = [...this.dirty];
    this.dirty = new Set();
    this.dirtySince = undefined;
    const problemsBefore = JSON.stringify(this.scanProblems);
    const whole = await Promise.all(paths.map((path) => this.standsForMore(path)));
    const files = paths.filter((path, i) => !whole[i] && isWanted(path));
    const changes = [
      whole.some(Boolean) && (await this.rescanAll()),
      // Two writes within one tick of the file system's clock look alike, so a notification is believed.
      ...(await Promise.all(files.map((path) => this.readFile(path)))),
    ];
    if (changes.some(Boolean) || JSON.stringify(this.scanProblems) !== problemsBefore) this.publish();
  }

  /** Whether something below the path may have changed, too. */
  private async standsForMore(path: string): Promise<boolean> {
    if (path === this.directory || this.watched.has(path)) return true;
    return stat(path).then(
      (found) => found.isDirectory(),
      () => false,
    );
  }

  private async readFile(path: string): Promise<boolean> {
    if (await this.files.isJustTruncated(path)) await sleep(this.options.truncatedMs);
    return this.files.update(path);
  }

  private async readIfChanged(path: string): Promise<boolean> {
    return !(await this.files.seemsUnchanged(path)) && this.readFile(path);
  }

  /** What was read stays if the directory cannot be listed for a moment: that is not an empty one. */
  private async rescanAll(): Promise<boolean> {
    try {
      return await this.scan();
    } catch (error) {
      this.scanProblems = [unlisted(this.directory, asError(error))];
      return false;
    }
  }

  /** Looks at everything. @returns whether anything changed. @throws Error if the directory cannot be listed. */
  private async scan(): Promise<boolean> {
    let found: Found;
    let watching: { readonly fresh: boolean; readonly problems: readonly Problem[] };
    do {
      found = await walk(this.directory);
      watching = this.watchAll(found.directories);
      // What came before its folder was watched is only seen by another look.
    } while (watching.fresh && !this.closed);
    const hidden = [...found.unlisted.keys()].map((path) => `${path}${sep}`);
    this.scanProblems = [
      ...watching.problems,
      ...[...found.unlisted].map(([path, error]) => unlisted(path, error)),
    ];
    const gone = [...this.files.paths].filter(
      (path) => !found.files.has(path) && !hidden.some((folder) => path.startsWith(folder)),
    );
    const changes = await Promise.all([...found.files].map((path) => this.readIfChanged(path)));
    for (const path of gone) this.files.remove(path);
    return gone.length > 0 || changes.some(Boolean);
  }

  /** @returns whether a directory is watched that was not before, and what cannot be watched. */
  private watchAll(directories: Found["directories"]): { fresh: boolean; problems: Problem[] } {
    for (const [path, { watcher, identity }] of this.watched) {
      if (directories.get(path) === identity) continue;
      watcher.close();
      this.watched.delete(path);
    }
    const problems: Problem[] = [];
    let fresh = false;
    for (const [path, identity] of directories) {
      if (this.watched.has(path)) continue;
      try {
        this.watched.set(path, { watcher: this.watch(path), identity });
        fresh = true;
      } catch (error) {
        if (!isGone(error)) problems.push(unwatched(path, asError(error), this.options.rescanMs));
      }
    }
    return { fresh, problems };
  }

  private watch(path: string): FSWatcher {
    const watcher = watch(path, (_, name) =>
      this.note(name === null ? this.directory : this.named(path, name)),
    );
    // The next scan tells why, or watches again.
    return watcher.on("error", () => {
      watcher.close();
      if (this.watched.get(path)?.watcher === watcher) this.watched.delete(path);
    });
  }

  /** A hidden name may be a ConfigMap's link being replaced, behind which any file can change. */
  private named(directory: string, name: string): string {
    return name.startsWith("..") ? this.directory : join(directory, name);
  }

  private publish(): void {
    const { objects, problems } = this.files.snapshot();
    this.current = { objects, problems: [...this.scanProblems, ...problems] };
    this.rest.after(() => {
      for (const listener of this.listeners) listener(this.current);
    });
  }
}

function unlisted(file: string, { message }: Error): Problem {
  return problem("error", file, `cannot be listed, what was read of it stays: ${message}`);
}

function unwatched(file: string, { message }: Error, rescanMs: number): Problem {
  return problem(
    "warning",
    file,
    `cannot be watched, changes are seen after up to ${rescanMs} ms: ${message}`,
  );
}

function problem(severity: Problem["severity"], file: string, message: string): Problem {
  return { severity, message, object: "", field: "", location: { file } };
}
