import { expect, test } from "vitest";
import { LayeredMap } from "../layered-map.ts";
import { named, resource } from "../testing/resources.ts";
import { difference, sameResources } from "./difference.ts";

const list = (...texts: string[]) => named(texts.map((text) => resource(text.charAt(0), text)));
const told = (...[before, after]: Parameters<typeof difference>) => {
  const { changed, gone } = difference(before, after);
  return { changed: [...changed.values()].map(({ body }) => Buffer.from(body).toString()), gone: [...gone] };
};

test("what is new or of another version has changed; what is not there any more is gone", () => {
  expect(told(list("a", "b", "c"), list("a", "b2", "d"))).toEqual({ changed: ["b2", "d"], gone: ["c"] });
  expect(told(list(), list("a"))).toEqual({ changed: ["a"], gone: [] });
  expect(told(list("a"), list())).toEqual({ changed: [], gone: ["a"] });
});

test("the same two lists are compared once", () => {
  const [before, after] = [list("a"), list("b")];
  expect(difference(before, after)).toBe(difference(before, after));
});

test("of layered lists with the same own part, only what is shared is compared", () => {
  const [own, before, after] = [list("x"), list("a", "b"), list("a2")];
  const layered = difference(new LayeredMap(before, own), new LayeredMap(after, own));
  expect(layered).toBe(difference(before, after));
  expect(told(new LayeredMap(before, own), new LayeredMap(before, list("y")))).toEqual({
    changed: ["y"],
    gone: ["x"],
  });
  expect(told(new LayeredMap(before, own), before)).toEqual({ changed: [], gone: ["x"] });
});

test("lists are the same if names and versions are", () => {
  expect(sameResources(list("a", "b"), list("b", "a"))).toBe(true);
  expect(sameResources(list("a"), list("a", "b"))).toBe(false);
  expect(sameResources(list("a", "b"), list("a", "b2"))).toBe(false);
  expect(sameResources(list("a"), list("b"))).toBe(false);
});
