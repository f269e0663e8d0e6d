import { type FSWatcher, watch } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import type { Problem } from "@keelson/model";
import type { ConfigSource, SourceSnapshot } from "../config-source.ts";
import { FileSet } from "./file-set.ts";

export interface DirectorySourceOptions {
  /** Changes are read when nothing has changed for this time; default 10 ms. */
  readonly quietMs?: number;
  /** An emptied file is believed only after this time, since its writer may be about to fill it; default 200 ms. */
  readonly truncatedMs?: number;
  /** Everything is looked at again after this time, should a notification be lost; default 10,000 ms. */
  readonly rescanMs?: number;
}

const extensions = new Set([".yaml", ".yml", ".json"]);

/** How deep below the directory files are looked for; a link that leads back to a parent ends there. */
const maximumDepth = 8;

/**
 * Objects in the YAML and JSON files of a directory and its sub-directories. Names that begin with a dot are left out,
 * which makes a mounted ConfigMap's own bookkeeping invisible. A file with errors keeps its last good content.
 */
export class DirectorySource implements ConfigSource {
  private readonly directory: string;
  private readonly options: Required<DirectorySourceOptions>;
  private readonly files = new FileSet();
  private readonly watchers = new Map<string, FSWatcher>();
  private readonly listeners: ((snapshot: SourceSnapshot) => void)[] = [];
  /** Paths that notifications named since the last reading; the directory itself stands for everything. */
  private dirty = new Set<string>();
  private scanProblems: readonly Problem[] = [];
  private current: SourceSnapshot = { objects: [], problems: [] };
  private timer: NodeJS.Timeout | undefined;
  private rescan: NodeJS.Timeout | undefined;
  private reading: Promise<void> = Promise.resolve();
  private closed = false;

  constructor(directory: string, options: DirectorySourceOptions = {}) {
    this.directory = directory;
    this.options = { quietMs: 10, truncatedMs: 200, rescanMs: 10_000, ...options };
  }

  get snapshot(): SourceSnapshot {
    return this.current;
  }

  onChange(listener: (snapshot: SourceSnapshot) => void): void {
    this.listeners.push(listener);
  }

  async start(): Promise<void> {
    await readdir(this.directory);
    await this.scan();
    this.publish();
    this.rescan = setInterval(() => this.note(this.directory), this.options.rescanMs);
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    clearInterval(this.rescan);
    for (const watcher of this.watchers.values()) watcher.close();
    await this.reading;
  }

  private note(path: string, waitMs = this.options.quietMs): void {
    if (this.closed) return;
    this.dirty.add(path);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.reading = this.reading.then(() => this.readDirty());
    }, waitMs);
  }

  private async readDirty(): Promise<void> {
    if (this.closed) return;
    const paths = [...this.dirty];
    this.dirty = new Set();
    const problemsBefore = JSON.stringify(this.scanProblems);
    const changes = await Promise.all(paths.map((path) => this.readPath(path)));
    if (changes.some(Boolean) || JSON.stringify(this.scanProblems) !== problemsBefore) this.publish();
  }

  private async readPath(path: string): Promise<boolean> {
    if (path === this.directory || this.watchers.has(path)) return this.scan();
    const isDirectory = await stat(path).then(
      (found) => found.isDirectory(),
      () => false,
    );
    if (isDirectory) return this.scan();
    if (!isWanted(path)) return false;
    if (await this.files.isJustTruncated(path)) {
      await new Promise((resolve) => setTimeout(resolve, this.options.truncatedMs));
    }
    return this.files.update(path);
  }

  /** Looks at everything. @returns whether anything changed. */
  private async scan(): Promise<boolean> {
    let found: Found;
    try {
      do found = await walk(this.directory, maximumDepth);
      while (this.watchAll(found.directories)); // what came before its folder was watched is only seen by another look
      this.scanProblems = [];
    } catch (error) {
      // What was read stays: a directory that cannot be listed for a moment is not an empty one.
      this.scanProblems = [
        problem(this.directory, `cannot be read, its last content stays: ${String(error)}`),
      ];
      return false;
    }
    const gone = [...this.files.paths].filter((path) => !found.files.has(path));
    const changes = await Promise.all([...found.files].map((path) => this.files.update(path)));
    for (const path of gone) this.files.remove(path);
    return gone.length > 0 || changes.some(Boolean);
  }

  /** @returns whether a directory is watched that was not before. */
  private watchAll(directories: ReadonlySet<string>): boolean {
    for (const [path, watcher] of this.watchers) {
      if (directories.has(path)) continue;
      watcher.close();
      this.watchers.delete(path);
    }
    const fresh = [...directories].filter((path) => !this.watchers.has(path));
    for (const path of fresh) this.watchers.set(path, this.watch(path));
    return fresh.length > 0;
  }

  private watch(path: string): FSWatcher {
    const watcher = watch(path, (_, name) =>
      this.note(name === null ? this.directory : this.named(path, name)),
    );
    // The next scan tells why, or watches again.
    return watcher.on("error", () => {
      watcher.close();
      this.watchers.delete(path);
    });
  }

  /** A hidden name may be a ConfigMap's link being replaced, behind which any file can change. */
  private named(directory: string, name: string): string {
    return name.startsWith("..") ? this.directory : join(directory, name);
  }

  private publish(): void {
    const { objects, problems } = this.files.snapshot();
    this.current = { objects, problems: [...this.scanProblems, ...problems] };
    for (const listener of this.listeners) listener(this.current);
  }
}

const isWanted = (path: string): boolean =>
  extensions.has(extname(path)) && !(path.split("/").at(-1) ?? "").startsWith(".");

function problem(file: string, message: string): Problem {
  return { severity: "error", message, object: "", field: "", location: { file } };
}

interface Found {
  readonly files: Set<string>;
  readonly directories: Set<string>;
}

async function walk(
  directory: string,
  depth: number,
  found: Found = { files: new Set(), directories: new Set() },
): Promise<Found> {
  const entries = await readdir(directory);
  found.directories.add(directory);
  for (const name of entries.filter((entry) => !entry.startsWith("."))) {
    const path = join(directory, name);
    // Links are followed: a mounted ConfigMap is made of them.
    const entry = await stat(path).catch(() => undefined);
    if (entry?.isDirectory() && depth > 1) await walk(path, depth - 1, found);
    else if (entry?.isFile() && isWanted(path)) found.files.add(path);
  }
  return found;
}
