import { type BigIntStats, readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { type CgroupFolder, readCgroupFolder } from "@keelson/model";

/** A cgroup, by its folder. */
export interface Cgroup {
  readonly path: string;
  /** As programs know it: the folder's inode number. */
  readonly id: bigint;
}

export interface PodCgroup extends Cgroup {
  readonly uid: string;
}

/** What of a tree is told of pods. */
export interface PodTree {
  /** Folders of all pods of a kubelet; mostly one. */
  readonly roots: readonly Cgroup[];
  readonly pods: readonly PodCgroup[];
  /** Folders in which pods come and go. */
  readonly parents: readonly Cgroup[];
}

/** A kind node, seen from its host, has its folder of pods four levels down; systemd may add levels for its `--cgroup-root`. */
const deepestRoot = 7;

// Everything here is read at once and without waiting: a cgroup file system answers from memory, and the sooner a pod is
// known the better.

/**
 * Looks through a whole tree for folders of all pods. Never below a pod: what is nested there is that pod's.
 * @param top folder of the tree, which may be a folder of pods itself
 * @returns their paths, sorted; none if the tree is not there
 */
export function findPodRoots(top: string): string[] {
  const found: string[] = [];
  const look = (path: string, name: string, depth: number): void => {
    if (readCgroupFolder(undefined, name) !== undefined) found.push(path);
    else if (depth < deepestRoot)
      for (const below of foldersIn(path)) look(join(path, below), below, depth + 1);
  };
  look(top, basename(top), 0);
  return found.sort();
}

/** Reads the pods in folders that were found before; of a folder that is gone, none. */
export function readPodTree(rootPaths: readonly string[]): PodTree {
  const tree = { roots: [] as Cgroup[], pods: [] as PodCgroup[], parents: [] as Cgroup[] };
  const readParent = (cgroup: Cgroup, folder: CgroupFolder): void => {
    tree.parents.push(cgroup);
    for (const name of foldersIn(cgroup.path)) {
      const below = readCgroupFolder(folder, name);
      const child = below && cgroupAt(join(cgroup.path, name));
      if (child === undefined) continue;
      if (below?.role === "pod" && below.uid !== undefined) tree.pods.push({ ...child, uid: below.uid });
      else if (below !== undefined) readParent(child, below);
    }
  };
  for (const path of rootPaths) {
    const root = cgroupAt(path);
    const folder = readCgroupFolder(undefined, basename(path));
    if (root === undefined || folder === undefined) continue;
    tree.roots.push(root);
    readParent(root, folder);
  }
  return tree;
}

/** @returns undefined if there is none. */
export function cgroupAt(path: string): Cgroup | undefined {
  const found: BigIntStats | undefined = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? undefined : { path, id: found.ino };
}

/** None of a folder that is gone: pods go at any time. */
function foldersIn(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENODEV" || code === "ENOTDIR") return [];
    throw error;
  }
}
