import { expect, test } from "vitest";
import { podText } from "../testing/objects.ts";
import { TestDirectory } from "../testing/test-directory.ts";
import { FileSet } from "./file-set.ts";
import { unseenChanges } from "./unseen-changes.ts";
import { walk } from "./walk.ts";

/** More than are looked at at once. */
const names = Array.from({ length: 100 }, (_, i) => `sub/${i}.yaml`);

/** A set that has read all of a directory. */
async function read(directory: TestDirectory) {
  for (const name of names) directory.write(name, podText("a"));
  const { files, directories } = await walk(directory.path);
  const set = new FileSet();
  for (const path of files) await set.update(path);
  const unseen = async (): Promise<string[]> => {
    const paths: string[] = [];
    for await (const path of unseenChanges(directory.path, set, directories)) paths.push(path);
    return paths;
  };
  return { unseen };
}

test("what is as it was read needs no look", async () => {
  using directory = new TestDirectory();
  const { unseen } = await read(directory);
  expect(await unseen()).toEqual([]);
});

test("files that are new, gone or others need one each", async () => {
  using directory = new TestDirectory();
  const { unseen } = await read(directory);
  directory.remove("sub/1.yaml");
  directory.write("sub/50.yaml", podText("longer"));
  directory.write("sub/new.yaml", podText("b"));
  directory.write("sub/new.txt", "of no interest");
  const expected = ["sub/1.yaml", "sub/50.yaml", "sub/new.yaml"].map((name) => directory.at(name));
  expect((await unseen()).sort()).toEqual(expected);
});

test("with other directories, or none, everything needs one", async () => {
  using directory = new TestDirectory();
  const { unseen } = await read(directory);
  directory.write("another/a.yaml", podText("a"));
  expect(await unseen()).toEqual([directory.path]);
  directory.remove("another");
  directory.rename("sub", "other");
  expect(await unseen()).toEqual([directory.path]);
  directory.remove(".");
  expect(await unseen()).toEqual([directory.path]);
});
