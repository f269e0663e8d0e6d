import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, statSync, truncateSync, utimesSync } from "node:fs";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { namesOf, podText, ruleText, textsOf } from "../testing/objects.ts";
import { TestDirectory, withoutPrivileges } from "../testing/test-directory.ts";
import { FileSet } from "./file-set.ts";

/** A set with one file of the given text. */
async function setWith(directory: TestDirectory, text: string | Uint8Array) {
  const files = new FileSet();
  const path = directory.write("a.yaml", text);
  await files.update(path);
  return { files, path };
}

test("a file that breaks keeps its last good content, is reported, and recovers", async () => {
  using directory = new TestDirectory();
  const { files, path } = await setWith(directory, podText("a"));
  directory.write("a.yaml", `${podText("b")}---\nkind: [\n`);
  expect(await files.update(path)).toBe(true);
  expect(namesOf(files.snapshot())).toEqual(["a"]);
  expect(textsOf(files.snapshot())).toEqual([expect.stringMatching(/^a\.yaml:8:1 /)]);
  directory.write("a.yaml", podText("c"));
  expect(await files.update(path)).toBe(true);
  expect(namesOf(files.snapshot())).toEqual(["c"]);
  expect(textsOf(files.snapshot())).toEqual([]);
});

test("a warning does not hold a file back", async () => {
  using directory = new TestDirectory();
  const { files, path } = await setWith(directory, podText("a"));
  directory.write("a.yaml", `${podText("b")}---\nkind: Mesh\n`);
  await files.update(path);
  expect(namesOf(files.snapshot())).toEqual(["b"]);
  expect(files.snapshot().problems).toMatchObject([{ severity: "warning" }]);
});

test("of a file that was never good, what can be read counts, and goes with the file", async () => {
  using directory = new TestDirectory();
  const broken = `---\n${ruleText("x", 0.5)}`;
  const { files, path } = await setWith(directory, podText("a") + broken);
  expect(namesOf(files.snapshot())).toEqual(["a"]);
  directory.write("a.yaml", podText("b") + broken);
  await files.update(path);
  expect(namesOf(files.snapshot())).toEqual(["b"]);
});

test("files are in the order of their paths, whatever the order of reading", async () => {
  using directory = new TestDirectory();
  const files = new FileSet();
  for (const name of ["b.yaml", "c.yaml", "a.yaml"]) {
    await files.update(directory.write(name, podText(name)));
    files.snapshot();
  }
  expect(namesOf(files.snapshot())).toEqual(["a.yaml", "b.yaml", "c.yaml"]);
  files.remove(directory.at("b.yaml"));
  expect(namesOf(files.snapshot())).toEqual(["a.yaml", "c.yaml"]);
});

test("a file that did not change seems so, and one that is the same again is no change", async () => {
  using directory = new TestDirectory();
  const { files, path } = await setWith(directory, podText("a"));
  const before = files.snapshot().objects;
  expect(await files.seemsUnchanged(path)).toBe(true);
  expect(await files.update(path)).toBe(false);
  directory.write("a.yaml", podText("a"));
  utimesSync(path, 1, 1);
  expect(await files.seemsUnchanged(path)).toBe(false);
  expect(await files.update(path)).toBe(false);
  expect(files.snapshot().objects[0]).toBe(before[0]);
});

test("a change that leaves size and time as they were is seen by reading", async () => {
  using directory = new TestDirectory();
  const { files, path } = await setWith(directory, podText("a"));
  const { atime, mtime } = statSync(path);
  directory.write("a.yaml", podText("b"));
  utimesSync(path, atime, mtime);
  expect(await files.update(path)).toBe(true);
  expect(namesOf(files.snapshot())).toEqual(["b"]);
});

test("what is gone is forgotten, and what was never there is no change", async () => {
  using directory = new TestDirectory();
  const { files, path } = await setWith(directory, podText("a"));
  directory.remove("a.yaml");
  expect(await files.seemsUnchanged(path)).toBe(false);
  expect(await files.update(path)).toBe(true);
  expect(await files.seemsUnchanged(path)).toBe(false);
  expect(await files.update(path)).toBe(false);
  expect(files.snapshot()).toEqual({ objects: [], problems: [] });
});

test.each<[string, (path: string) => void]>([
  ["a directory", (path) => mkdirSync(path)],
  ["a pipe that nobody writes to", (path) => void execFileSync("mkfifo", [path])],
])("%s with the name of a file is none", async (_, make) => {
  using directory = new TestDirectory();
  const { files, path } = await setWith(directory, podText("a"));
  directory.remove("a.yaml");
  make(path);
  expect(await files.seemsUnchanged(path)).toBe(false);
  await files.update(path);
  expect(files.snapshot()).toEqual({ objects: [], problems: [] });
});

test("a file that may not be read keeps its content, and is reported once", async () => {
  using directory = new TestDirectory();
  const { files, path } = await setWith(directory, podText("a"));
  chmodSync(path, 0o000);
  utimesSync(path, 1, 1);
  await withoutPrivileges(async () => {
    expect(await files.update(path)).toBe(true);
    expect(await files.update(path)).toBe(false);
  });
  expect(namesOf(files.snapshot())).toEqual(["a"]);
  expect(textsOf(files.snapshot())).toEqual([expect.stringMatching(/^a\.yaml cannot be read: EACCES/)]);
});

test("a file larger than 64 MiB is refused", async () => {
  using directory = new TestDirectory();
  const { files, path } = await setWith(directory, podText("a"));
  truncateSync(path, 64 * 1024 * 1024 + 1);
  await files.update(path);
  expect(namesOf(files.snapshot())).toEqual(["a"]);
  expect(textsOf(files.snapshot())).toEqual([
    "a.yaml cannot be read: 67108865 bytes are more than the 67108864 a file may have",
  ]);
});

test("a file is just truncated if it had objects and is empty", async () => {
  using directory = new TestDirectory();
  const { files, path } = await setWith(directory, podText("a"));
  expect(await files.isJustTruncated(path)).toBe(false);
  truncateSync(path);
  expect(await files.isJustTruncated(path)).toBe(true);
  await files.update(path);
  expect(await files.isJustTruncated(path)).toBe(false);
  expect(await files.isJustTruncated(directory.at("other.yaml"))).toBe(false);
});

test("any bytes are read without an exception", async () => {
  using directory = new TestDirectory();
  const files = new FileSet();
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      await files.update(directory.write("a.yaml", bytes));
      expect(files.snapshot().objects).toEqual([]);
    }),
    { numRuns: 200 },
  );
});
