import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { insideRoot } from "./inside-root.ts";

let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "keelson-root-"));
  await mkdir(join(root, "run"));
  await mkdir(join(root, "var"));
  await symlink("/run", join(root, "var/run"));
  await symlink("../run", join(root, "var/near"));
  await symlink("loop", join(root, "loop"));
});

afterAll(() => rm(root, { recursive: true }));

test.each([
  ["/etc/config", "etc/config"],
  ["/var/run/secrets/a", "run/secrets/a"],
  ["/var/near/b", "run/b"],
  ["/../../etc", "etc"],
])("%s is %s below the root", async (path, place) => {
  expect(await insideRoot(root, path)).toBe(join(root, place));
});

test("links that lead to each other are an error", async () => {
  await expect(insideRoot(root, "/loop/a")).rejects.toThrow("too many links");
});
