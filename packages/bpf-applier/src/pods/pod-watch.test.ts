import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { PodTree } from "./pod-tree.ts";
import { PodWatch } from "./pod-watch.ts";

let top: string;
let watch: PodWatch;
let trees: PodTree[];
const errors: Error[] = [];

beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), "keelson-pod-watch-"));
  trees = [];
  errors.length = 0;
  watch = new PodWatch(
    top,
    (tree) => trees.push(tree),
    (error) => errors.push(error),
  );
});
afterEach(() => {
  watch.stop();
  rmSync(top, { recursive: true, force: true });
  expect(errors).toEqual([]);
});

const make = (path: string): void => void mkdirSync(join(top, path), { recursive: true });
const remove = (path: string): void => rmSync(join(top, path), { recursive: true });
const uids = (): string[] => (trees.at(-1)?.pods ?? []).map(({ uid }) => uid).sort();
const roots = (): string[] => (trees.at(-1)?.roots ?? []).map(({ path }) => path.slice(top.length + 1));

test("what is there is told at the start, then each change, and nothing twice", async () => {
  make("kubepods/burstable/pod1");
  watch.start();
  expect(uids()).toEqual(["1"]);
  make("kubepods/burstable/pod2");
  await expect.poll(uids).toEqual(["1", "2"]);
  make("kubepods/besteffort");
  make("kubepods/besteffort/pod3");
  make("kubepods/pod4");
  await expect.poll(uids).toEqual(["1", "2", "3", "4"]);
  remove("kubepods/burstable/pod1");
  await expect.poll(uids).toEqual(["2", "3", "4"]);
  const told = trees.map(({ pods }) => String(pods.map(({ path, id }) => `${path} ${id}`)));
  expect(told.every((text, i) => text !== told[i - 1])).toBe(true);
});

test("a kubelet that starts later is found, however deep, and found again when its folders are made anew", async () => {
  watch.start();
  expect(trees).toEqual([]);
  make("kubepods/pod0");
  await expect.poll(uids).toEqual(["0"]);
  make("system.slice/docker-1.scope/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod1.slice");
  await expect.poll(uids).toEqual(["0", "1"]);
  const before = trees.at(-1)?.roots[0]?.id;
  remove("kubepods");
  await expect.poll(uids).toEqual(["1"]);
  make("kubepods/burstable/pod2");
  await expect.poll(uids).toEqual(["1", "2"]);
  expect(roots()).toContain("kubepods");
  make("kubepods/burstable/pod3");
  await expect.poll(uids).toEqual(["1", "2", "3"]);
  expect(before).toBeDefined();
});

test("a queue of events that ran over loses no pod", async () => {
  const room = Number(readFileSync("/proc/sys/fs/inotify/max_queued_events", "utf8"));
  make("kubepods/burstable");
  make("kubepods/besteffort");
  const files = ["one", "other"].map((name) => join(top, "kubepods/burstable", name));
  for (const file of files) writeFileSync(file, "");
  watch.start();
  // Without giving the watch a turn; of two that are alike in a row, the kernel would keep one.
  for (let i = 0; i <= room; i++) chmodSync(files[i % 2] ?? "", 0o600);
  make("kubepods/burstable/pod1");
  make("kubepods/besteffort/pod2");
  await expect.poll(uids).toEqual(["1", "2"]);
});

test("nothing is told after it was stopped", async () => {
  make("kubepods/pod1");
  watch.start();
  const told = trees.length;
  watch.stop();
  make("kubepods/pod2");
  const other = new PodWatch(
    top,
    (tree) => {
      if (tree.pods.length === 3) trees.push(tree);
    },
    (error) => errors.push(error),
  );
  other.start();
  make("kubepods/pod3");
  await expect.poll(() => trees.length).toBe(told + 1);
  other.stop();
});
