import { mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findPodRoots, readPodTree } from "./pod-tree.ts";

// Folders are folders: what is read of a cgroup tree is names and inode numbers.
let top: string;
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), "keelson-pod-tree-"));
});
afterEach(() => rmSync(top, { recursive: true }));

const make = (...paths: string[]): void => {
  for (const path of paths) mkdirSync(join(top, path), { recursive: true });
};
const within = (paths: readonly string[]): string[] => paths.map((path) => path.slice(top.length + 1));
const podsBelow = (...roots: string[]) =>
  readPodTree(roots.map((root) => join(top, root))).pods.map(({ uid, path, id }) => {
    expect(id).toBe(statSync(path, { bigint: true }).ino);
    return [uid, within([path])[0]];
  });

test("folders of pods are found at any depth, but not in pods, nor too deep", () => {
  make(
    "kubepods.slice/kubepods-pod1.slice/inner/kubepods/pod9",
    "system.slice/docker-1.scope/kubelet.slice/kubelet-kubepods.slice",
    "a/b/c/d/e/f/kubepods",
    "a/b/c/d/e/f/g/kubepods",
    "kubepods-not",
  );
  expect(within(findPodRoots(top))).toEqual([
    "a/b/c/d/e/f/kubepods",
    "kubepods.slice",
    "system.slice/docker-1.scope/kubelet.slice/kubelet-kubepods.slice",
  ]);
});

test("the folder to look in may be one of pods itself, or not be there", () => {
  make("kubepods/pod1");
  expect(findPodRoots(join(top, "kubepods"))).toEqual([join(top, "kubepods")]);
  expect(findPodRoots(join(top, "nothing"))).toEqual([]);
});

test("pods of all qualities of service are read, with the folders they come and go in, and nothing else", () => {
  make(
    "kubepods/pod1/container",
    "kubepods/burstable/pod2",
    "kubepods/besteffort",
    "kubepods/other/pod3",
    "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-poda_b.slice/cri-containerd-1.scope",
  );
  expect(
    podsBelow("kubepods", "kubepods.slice").toSorted((a, b) => ((a[0] ?? "") < (b[0] ?? "") ? -1 : 1)),
  ).toEqual([
    ["1", "kubepods/pod1"],
    ["2", "kubepods/burstable/pod2"],
    ["a-b", "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-poda_b.slice"],
  ]);
  const { parents } = readPodTree([join(top, "kubepods")]);
  expect(within(parents.map(({ path }) => path)).sort()).toEqual([
    "kubepods",
    "kubepods/besteffort",
    "kubepods/burstable",
  ]);
});

test("a folder that is gone has no pods", () => {
  expect(readPodTree([join(top, "kubepods")])).toEqual({ roots: [], pods: [], parents: [] });
});
