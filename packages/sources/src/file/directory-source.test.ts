import { truncateSync, writeFileSync } from "node:fs";
import { setImmediate as nextTurn, setTimeout as passes } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import type { SourceSnapshot } from "../config-source.ts";
import { namesOf, podText, textsOf } from "../testing/objects.ts";
import { TestDirectory } from "../testing/test-directory.ts";
import { DirectorySource, type DirectorySourceOptions } from "./directory-source.ts";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

/** Without rescans in a test's time: what is seen is seen by notification. */
const byNotification: DirectorySourceOptions = { rescanMs: 3_600_000 };

class Watched {
  readonly directory: TestDirectory;
  readonly source: DirectorySource;
  /** All that the source told, the first included. */
  readonly told: SourceSnapshot[] = [];

  private constructor(directory: TestDirectory, options: DirectorySourceOptions) {
    this.directory = directory;
    this.source = new DirectorySource(directory.path, options);
    this.source.onChange((snapshot) => this.told.push(snapshot));
  }

  /** A directory of these files, watched until the test's end. */
  static async start(files: Record<string, string>, options = byNotification): Promise<Watched> {
    const directory = new TestDirectory();
    cleanUps.push(() => directory[Symbol.dispose]());
    for (const [name, text] of Object.entries(files)) directory.write(name, text);
    const watched = new Watched(directory, options);
    cleanUps.push(() => watched.source.close());
    await watched.source.start();
    return watched;
  }

  until(holds: (snapshot: SourceSnapshot) => boolean): Promise<SourceSnapshot> {
    return new Promise((resolve) => {
      const look = (snapshot: SourceSnapshot): void => {
        if (holds(snapshot)) resolve(snapshot);
      };
      this.source.onChange(look);
      look(this.source.snapshot);
    });
  }

  async untilNames(...names: string[]): Promise<SourceSnapshot> {
    return this.until((snapshot) => namesOf(snapshot).join() === names.join());
  }
}

test("what is there is read at the start, and told", async () => {
  const { source, told } = await Watched.start({
    "a.yaml": podText("a"),
    "sub/b.json": '{"kind": "x"}',
    "c.txt": "c",
  });
  expect(namesOf(source.snapshot)).toEqual(["a"]);
  expect(textsOf(source.snapshot)).toEqual(["b.json:1:2 kind x is not read and has no effect"]);
  expect(told).toEqual([source.snapshot]);
});

test("there must be a directory to begin with", async () => {
  using directory = new TestDirectory();
  await expect(new DirectorySource(directory.at("nothing")).start()).rejects.toThrow("ENOENT");
  const file = directory.write("a.yaml", "");
  await expect(new DirectorySource(file).start()).rejects.toThrow("ENOTDIR");
});

test("a file that changes, comes, moves and goes", async () => {
  const watched = await Watched.start({ "b.yaml": podText("b"), "c.yaml": podText("c") });
  const [, kept] = watched.source.snapshot.objects;
  watched.directory.write("b.yaml", podText("b2"));
  await watched.untilNames("b2", "c");
  watched.directory.write("a.yaml", podText("a"));
  await watched.untilNames("a", "b2", "c");
  watched.directory.rename("a.yaml", "d.yaml");
  await watched.untilNames("b2", "c", "a");
  watched.directory.remove("b.yaml");
  const { objects } = await watched.untilNames("c", "a");
  expect(objects[0]).toBe(kept);
});

test("a file that is replaced at once, as editors do", async () => {
  const watched = await Watched.start({ "a.yaml": podText("a") });
  watched.directory.write(".a.yaml.swp", podText("b"));
  watched.directory.rename(".a.yaml.swp", "a.yaml");
  await watched.untilNames("b");
  expect(watched.told.map(namesOf)).not.toContainEqual([]);
});

test("a file that breaks keeps its content until it is whole again", async () => {
  const watched = await Watched.start({ "a.yaml": podText("a") });
  watched.directory.write("a.yaml", "kind: [\n");
  const broken = await watched.until(({ problems }) => problems.length > 0);
  expect(namesOf(broken)).toEqual(["a"]);
  watched.directory.write("a.yaml", podText("b"));
  expect((await watched.untilNames("b")).problems).toEqual([]);
});

test("new folders are watched, with what was in them before that", async () => {
  const watched = await Watched.start({ "a.yaml": podText("a") });
  watched.directory.write("x/y/b.yaml", podText("b"));
  await watched.untilNames("a", "b");
  watched.directory.write("x/y/b.yaml", podText("c"));
  await watched.untilNames("a", "c");
  watched.directory.rename("x", "z");
  watched.directory.write("z/y/d.yaml", podText("d"));
  await watched.untilNames("a", "c", "d");
  watched.directory.remove("z");
  await watched.untilNames("a");
});

test("another folder that takes a folder's place is watched", async () => {
  const watched = await Watched.start({ "x/a.yaml": podText("a"), ".next/b.yaml": podText("b") });
  watched.directory.rename("x", ".old");
  watched.directory.rename(".next", "x");
  await watched.untilNames("b");
  watched.directory.write("x/c.yaml", podText("c"));
  await watched.untilNames("b", "c");
});

test("a file that becomes a folder, and the other way round", async () => {
  const watched = await Watched.start({ "a.yaml": podText("a"), "b.yaml/c.yaml": podText("c") });
  watched.directory.remove("a.yaml");
  watched.directory.write("a.yaml/d.yaml", podText("d"));
  await watched.untilNames("d", "c");
  watched.directory.remove("b.yaml");
  watched.directory.write("b.yaml", podText("b"));
  await watched.untilNames("d", "b");
});

test("a mounted ConfigMap changes all its files at once", async () => {
  const watched = await Watched.start({ "..1/a.yaml": podText("a"), "..1/sub/b.yaml": podText("b") });
  const { directory } = watched;
  directory.link("..data", "..1");
  directory.link("a.yaml", "..data/a.yaml");
  directory.link("sub", "..data/sub");
  await watched.untilNames("a", "b");
  const before = watched.told.length;
  for (const version of [2, 3]) {
    directory.write(`..${version}/a.yaml`, podText(`a${version}`));
    directory.write(`..${version}/sub/b.yaml`, podText(`b${version}`));
    directory.link("..data", `..${version}`);
    directory.remove(`..${version - 1}`);
    await watched.untilNames(`a${version}`, `b${version}`);
  }
  expect(watched.told.slice(before).map(namesOf)).toEqual([
    ["a2", "b2"],
    ["a3", "b3"],
  ]);
});

test("a writer that empties a file first and then takes its time loses nothing", async () => {
  const watched = await Watched.start({ "a.yaml": podText("a") }, { ...byNotification, truncatedMs: 1_000 });
  truncateSync(watched.directory.at("a.yaml"));
  await passes(30);
  watched.directory.write("a.yaml", podText("b"));
  await watched.untilNames("b");
  expect(watched.told.map(namesOf)).toEqual([["a"], ["b"]]);
});

test("a file that stays empty is believed", async () => {
  const watched = await Watched.start({ "a.yaml": podText("a") });
  truncateSync(watched.directory.at("a.yaml"));
  await watched.untilNames();
});

test("a file that never rests keeps nothing else unread", async () => {
  const watched = await Watched.start({ "a.yaml": podText("a") }, { ...byNotification, quietMs: 3_600_000 });
  watched.directory.write("b.yaml", podText("b"));
  while (!namesOf(watched.source.snapshot).includes("b")) {
    writeFileSync(watched.directory.at("noise.txt"), "");
    await nextTurn();
  }
});

test("a change waits for three times as long as the one before took beyond 10 ms to take up", async () => {
  const watched = await Watched.start({ "a.yaml": podText("a") });
  const begun: number[] = [];
  watched.source.onChange(() => {
    begun.push(performance.now());
    while (performance.now() < (begun.at(-1) ?? 0) + 40);
  });
  watched.directory.write("b.yaml", podText("b"));
  await watched.untilNames("a", "b");
  watched.directory.write("c.yaml", podText("c"));
  await watched.untilNames("a", "b", "c");
  const [first = 0, second = 0] = [begun[0], begun.at(-1)];
  expect(second - first).toBeGreaterThanOrEqual(40 + 3 * (40 - 10) - 1);
});

test("what no notification told of is found by looking again", async () => {
  const elsewhere = new TestDirectory();
  cleanUps.push(() => elsewhere[Symbol.dispose]());
  const target = elsewhere.write("b.yaml", podText("b"));
  const watched = await Watched.start({ "a.yaml": podText("a") }, { rescanMs: 20 });
  watched.directory.link("b.yaml", target);
  await watched.untilNames("a", "b");
  // A change behind a link to a file is none of the watched directory.
  elsewhere.write("b.yaml", podText("longer"));
  await watched.untilNames("a", "longer");
});

test("a directory that vanishes leaves its content, and is watched when it is back", async () => {
  const watched = await Watched.start({ "conf/a.yaml": podText("a") });
  const inner = new DirectorySource(watched.directory.at("conf"), { rescanMs: 20 });
  cleanUps.push(() => inner.close());
  const until = (holds: (snapshot: SourceSnapshot) => boolean) =>
    new Promise<SourceSnapshot>((resolve) => {
      inner.onChange((snapshot) => holds(snapshot) && resolve(snapshot));
    });
  const lost = until(({ problems }) => problems.length > 0);
  await inner.start();
  watched.directory.rename("conf", ".away");
  const snapshot = await lost;
  expect(namesOf(snapshot)).toEqual(["a"]);
  expect(textsOf(snapshot)).toEqual([
    expect.stringMatching(/^conf cannot be listed, what was read of it stays: ENOENT/),
  ]);
  const back = until(({ problems }) => problems.length === 0);
  watched.directory.write("conf/b.yaml", podText("b"));
  expect(namesOf(await back)).toEqual(["b"]);
});

test("after it is closed it tells nothing more", async () => {
  const { source, directory, told } = await Watched.start({ "a.yaml": podText("a") });
  const other = new DirectorySource(directory.path, byNotification);
  cleanUps.push(() => other.close());
  await other.start();
  await source.close();
  const seen = new Promise<void>((resolve) => other.onChange(() => resolve()));
  directory.write("b.yaml", podText("b"));
  await seen;
  expect(told).toHaveLength(1);
});
