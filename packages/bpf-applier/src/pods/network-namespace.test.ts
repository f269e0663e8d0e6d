import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { networkNamespaceOf, ownNetworkNamespaces } from "./network-namespace.ts";

// What is read of a cgroup are its folders and the process ids in their files.
let cgroup: string;
beforeEach(() => {
  cgroup = mkdtempSync(join(tmpdir(), "keelson-network-"));
});
afterEach(() => rmSync(cgroup, { recursive: true }));

const put = (path: string, ...processes: number[]): void => {
  mkdirSync(join(cgroup, path), { recursive: true });
  writeFileSync(join(cgroup, path, "cgroup.procs"), processes.map((id) => `${id}\n`).join(""));
};

test("a process in any container of a pod tells its network", () => {
  put("");
  put("container/inner", process.pid);
  put("container");
  expect(ownNetworkNamespaces()).toContain(networkNamespaceOf(cgroup));
});

test("processes that have ended, or that are of another process namespace, tell nothing", async () => {
  const child = spawn("true");
  await once(child, "exit");
  put("", child.pid ?? 0, 0);
  expect(networkNamespaceOf(cgroup)).toBeUndefined();
  put("", child.pid ?? 0, 0, process.pid);
  expect(networkNamespaceOf(cgroup)).toBeDefined();
});

test("a cgroup that is gone has none", () => {
  expect(networkNamespaceOf(join(cgroup, "gone"))).toBeUndefined();
});
