import { expect, test, vi } from "vitest";
import { DirectorySource } from "./file/directory-source.ts";
import { MergedSource } from "./merged-source.ts";
import { namesOf, podText } from "./testing/objects.ts";
import { TestDirectory } from "./testing/test-directory.ts";

test("what several sources hold is told together, and as it changes", async () => {
  using first = new TestDirectory();
  using second = new TestDirectory();
  first.write("a.yaml", podText("a"));
  second.write("b.yaml", podText("b"));
  const source = new MergedSource([new DirectorySource(first.path), new DirectorySource(second.path)]);
  const told: string[][] = [];
  source.onChange((snapshot) => told.push(namesOf(snapshot)));
  await source.start();
  expect(told).toEqual([["a", "b"]]);
  second.write("c.yaml", podText("c"));
  await vi.waitUntil(() => told.length === 2, { timeout: 20_000, interval: 5 });
  expect(told[1]).toEqual(["a", "b", "c"]);
  expect(source.health).toEqual({ waiting: {}, failing: {} });
  await source.close();
});
