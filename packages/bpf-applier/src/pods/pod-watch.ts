import { type FSWatcher, watch } from "node:fs";
import { dirname } from "node:path";
import { type Cgroup, cgroupAt, findPodRoots, type PodTree, readPodTree } from "./pod-tree.ts";

/** How often the tree is read without being told to: all of it, or, where it cannot be watched, the pods. */
const searchMs = 30_000;
const unwatchedMs = 1_000;

/**
 * After a change outside of pods the tree is searched at once, and again after these times: a folder of pods may be made
 * with all those above it, of which only the first lies in one that is watched.
 */
const searchAgainMs = [20, 200, 2_000];

/** Reading takes at most this part of the time, however fast pods come and go. */
const readingShare = 0.1;

/**
 * Watches a tree of cgroups for pods.
 *
 * It is told of changes by inotify, and reads all folders in which pods come and go, whichever one changed. So a queue of
 * events that ran over loses nothing: what it held makes the folders be read after what was lost had happened.
 */
export class PodWatch {
  private readonly top: string;
  private readonly onChange: (tree: PodTree) => void;
  private readonly onError: (error: Error) => void;
  private readonly watchers = new Map<string, { readonly id: bigint; readonly watcher: FSWatcher }>();
  private rootPaths: readonly string[] = [];
  private known = "";
  /** When the tree is to be searched. */
  private searches: number[] = [0];
  private timer: NodeJS.Timeout | undefined;
  private timerAt = Number.POSITIVE_INFINITY;
  private lastSearch = Number.NEGATIVE_INFINITY;
  private lastRead = { at: Number.NEGATIVE_INFINITY, took: 0 };
  private refusal: string | undefined;
  private stopped = true;

  /**
   * @param top the folder below which pods are looked for
   * @param onChange told of the tree when it starts, and whenever pods or folders of pods are others
   * @param onError told why the tree cannot be read or watched, once for each reason
   */
  constructor(top: string, onChange: (tree: PodTree) => void, onError: (error: Error) => void) {
    this.top = top;
    this.onChange = onChange;
    this.onError = onError;
  }

  /** Why changes are found only by looking again and again; undefined: they are told at once. */
  get unwatchedBecause(): string | undefined {
    return this.refusal;
  }

  /** The first tree is told before it returns. */
  start(): void {
    this.stopped = false;
    this.look();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    this.timer = undefined;
    for (const { watcher } of this.watchers.values()) watcher.close();
    this.watchers.clear();
  }

  private look(): void {
    this.timer = undefined;
    this.timerAt = Number.POSITIVE_INFINITY;
    const startedAt = performance.now();
    try {
      this.read(startedAt);
    } catch (error) {
      this.onError(error as Error);
    }
    this.lastRead = { at: performance.now(), took: performance.now() - startedAt };
    const hasRoots = this.rootPaths.length > 0;
    this.lookIn(this.refusal === undefined && hasRoots ? searchMs : unwatchedMs);
    for (const at of this.searches) this.lookIn(Math.max(0, at - performance.now()));
  }

  private read(now: number): void {
    const isDue = this.searches.some((at) => at <= now) || now - this.lastSearch >= searchMs;
    if (isDue || this.rootPaths.length === 0) {
      this.searches = this.searches.filter((at) => at > now);
      this.lastSearch = now;
      this.rootPaths = findPodRoots(this.top);
    }
    // Watched before they are read, so that nothing happens in between.
    let tree = readPodTree(this.rootPaths);
    if (this.watchAll(tree)) tree = readPodTree(this.rootPaths);
    const text = [...tree.roots, ...tree.pods].map(({ path, id }) => `${id} ${path}`).join("\n");
    if (text === this.known) return;
    this.known = text;
    this.onChange(tree);
  }

  private lookIn(ms: number): void {
    const at = performance.now() + ms;
    if (this.stopped || at >= this.timerAt) return;
    clearTimeout(this.timer);
    this.timerAt = at;
    this.timer = setTimeout(() => this.look(), ms);
  }

  private onEvent(search: boolean): void {
    const now = performance.now();
    if (search) this.searches = [0, ...searchAgainMs.map((ms) => now + ms)];
    const { at, took } = this.lastRead;
    this.lookIn(Math.max(0, at + took * (1 / readingShare - 1) - now));
  }

  /** @returns whether a folder is watched that was not. */
  private watchAll(tree: PodTree): boolean {
    const above = this.foldersAbove(tree.roots);
    const wanted = new Map([...above, ...tree.parents].map((cgroup) => [cgroup.path, cgroup.id]));
    for (const [path, { id, watcher }] of this.watchers) {
      // A folder that was made again is another one.
      if (wanted.get(path) === id) continue;
      watcher.close();
      this.watchers.delete(path);
    }
    const isAbove = new Set(above.map(({ path }) => path));
    const refusals = new Set<string>();
    let isNew = false;
    for (const [path, id] of wanted) {
      if (this.watchers.has(path)) continue;
      try {
        this.watchers.set(path, { id, watcher: this.watchFolder(path, isAbove.has(path)) });
        isNew = true;
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        if (code !== "ENOENT") refusals.add(message);
      }
    }
    this.refuse([...refusals][0]);
    return isNew;
  }

  private watchFolder(path: string, search: boolean): FSWatcher {
    const watcher = watch(path, { persistent: false }, () => this.onEvent(search));
    watcher.on("error", () => this.onEvent(true));
    return watcher;
  }

  private refuse(reason: string | undefined): void {
    if (reason !== undefined && reason !== this.refusal)
      this.onError(new Error(`${reason}; pods are looked for every ${unwatchedMs / 1000} s instead`));
    this.refusal = reason;
  }

  /** In which folders of pods may come and go: from the top down to those that are there. */
  private foldersAbove(roots: readonly Cgroup[]): Cgroup[] {
    const paths = new Set<string>([this.top]);
    for (const { path } of roots) {
      for (let above = dirname(path); above.length > this.top.length; above = dirname(above))
        paths.add(above);
    }
    return [...paths].map(cgroupAt).filter((cgroup) => cgroup !== undefined);
  }
}
