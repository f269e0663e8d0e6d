import { chmodSync } from "node:fs";
import { relative } from "node:path";
import { expect, test } from "vitest";
import { TestDirectory, withoutPrivileges } from "../testing/test-directory.ts";
import { walk } from "./walk.ts";

async function filesBelow(directory: TestDirectory): Promise<string[]> {
  const { files } = await walk(directory.path);
  return [...files].map((path) => relative(directory.path, path)).sort();
}

test("YAML and JSON files below the directory, without hidden ones", async () => {
  using directory = new TestDirectory();
  for (const name of [
    "a.yaml",
    "b.yml",
    "c.json",
    "sub/d.yaml",
    "e.txt",
    ".f.yaml",
    ".git/g.yaml",
    "h.yaml~",
  ]) {
    directory.write(name, "");
  }
  expect(await filesBelow(directory)).toEqual(["a.yaml", "b.yml", "c.json", "sub/d.yaml"]);
});

test("a directory with a file's name is a directory", async () => {
  using directory = new TestDirectory();
  directory.write("x.yaml/a.yaml", "");
  expect(await filesBelow(directory)).toEqual(["x.yaml/a.yaml"]);
});

test("links are followed, but not back to where they are", async () => {
  using directory = new TestDirectory();
  using elsewhere = new TestDirectory();
  directory.write("sub/a.yaml", "");
  elsewhere.write("b.yaml", "");
  directory.link("sub/up", directory.path);
  directory.link("sub/self", ".");
  directory.link("far", elsewhere.path);
  directory.link("c.yaml", elsewhere.at("b.yaml"));
  directory.link("dangling.yaml", "nowhere");
  expect(await filesBelow(directory)).toEqual(["c.yaml", "far/b.yaml", "sub/a.yaml"]);
});

test("eight levels are looked at", async () => {
  using directory = new TestDirectory();
  directory.write("2/3/4/5/6/7/8/a.yaml", "");
  directory.write("2/3/4/5/6/7/8/9/b.yaml", "");
  expect(await filesBelow(directory)).toEqual(["2/3/4/5/6/7/8/a.yaml"]);
});

test("a file that cannot be looked at is named, so that the reader says why", async () => {
  using directory = new TestDirectory();
  directory.link("loop.yaml", "loop.yaml");
  expect(await filesBelow(directory)).toEqual(["loop.yaml"]);
});

test("a folder that cannot be listed does not hide the others", async () => {
  using directory = new TestDirectory();
  directory.write("a.yaml", "");
  directory.write("lost+found/b.yaml", "");
  chmodSync(directory.at("lost+found"), 0o000);
  const { files, unlisted } = await withoutPrivileges(() => walk(directory.path));
  chmodSync(directory.at("lost+found"), 0o755);
  expect([...files]).toEqual([directory.at("a.yaml")]);
  expect([...unlisted.keys()]).toEqual([directory.at("lost+found")]);
});

test("a directory that is not there is an error", async () => {
  await expect(walk("/nowhere/at/all")).rejects.toThrow("ENOENT");
});
