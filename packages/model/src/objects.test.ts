import { expect, test } from "vitest";
import type { KnownObject } from "./kinds/index.ts";
import { ObjectSet } from "./objects.ts";
import { originAt, pod, read, service } from "./testing/index.ts";

const named = (...names: string[]) => read(...names.map((name) => pod({ name })));
const namesOf = (objects: readonly KnownObject[]): string[] => objects.map(({ metadata }) => metadata.name);

function after(...rounds: (readonly KnownObject[])[]) {
  const set = new ObjectSet();
  for (const objects of rounds) set.update(objects);
  const { added, removed } = set.changes("Pod", "");
  return { set, all: namesOf(set.of("Pod", "")), added: namesOf(added), removed: namesOf(removed) };
}

test("objects of a kind are sorted by name", () => {
  expect(after([...named("c", "a", "b"), ...read(service())])).toMatchObject({
    all: ["a", "b", "c"],
    added: ["c", "a", "b"],
  });
});

test("an update tells what came and what went", () => {
  const [a, b, c, d] = named("a", "b", "c", "d");
  const all = (...objects: (KnownObject | undefined)[]) => objects.filter((one) => one !== undefined);
  expect(after(all(a, b, c), all(d, a, c))).toMatchObject({
    all: ["a", "c", "d"],
    added: ["d"],
    removed: ["b"],
  });
  expect(after(all(a, b, c), all(c, b, a))).toMatchObject({ all: ["a", "b", "c"], added: [], removed: [] });
  expect(after(all(a, b), [])).toMatchObject({ all: [], removed: ["a", "b"] });
});

test("a list stays the same as long as nothing of its kind changes", () => {
  const set = new ObjectSet();
  const pods = named("a", "b");
  set.update(pods);
  const before = set.of("Pod", "");
  set.update([...read(service()), ...pods]);
  expect(set.of("Pod", "")).toBe(before);
});

test("an object that is given twice goes when it is given no more", () => {
  const [a] = named("a");
  if (a === undefined) throw new Error("there is a pod");
  expect(after([a, a], [a]).all).toEqual(["a"]);
  expect(after([a, a], []).all).toEqual([]);
});

const at = (file: string, node: string): KnownObject => {
  const [object] = read(pod({ name: "a", node }));
  if (object === undefined) throw new Error("there is a pod");
  return { ...object, origin: originAt(file) };
};

test("of one name the place that sorts first counts, whichever comes first", () => {
  const [first, second] = [at("a.yaml", "node-a"), at("b.yaml", "node-b")];
  for (const rounds of [
    [[first, second]],
    [[second, first]],
    [[second], [second, first]],
    [[first], [second, first]],
  ]) {
    const { set } = after(...rounds);
    expect(set.of("Pod", "")).toEqual([first]);
    expect(set.problems()).toMatchObject([{ location: { file: "b.yaml" }, field: "metadata.name" }]);
  }
  const { set } = after([first, second], [second]);
  expect(set.of("Pod", "")).toEqual([second]);
  expect(set.problems()).toEqual([]);
});
