import type { Resource } from "@keelson/protos";
import { expect, test } from "vitest";
import { resource, snapshot } from "../testing/resources.ts";
import { NodeViews } from "./node-views.ts";

const type = "type.test/Thing";

function listing() {
  const views = new NodeViews();
  let version = 0;
  return (...things: readonly Resource[]) => {
    version += 1;
    const made = snapshot(version, { [type]: things });
    return (node: string) => views.viewOf(node, made).resources(type);
  };
}

test("a node gets what is for all and what is its own", () => {
  const of = listing()(resource("all"), resource("x", "x", "n1"), resource("y", "y", "n2"));
  expect([...of("n1").keys()].sort()).toEqual(["all", "x"]);
  expect([...of("n2").keys()].sort()).toEqual(["all", "y"]);
  expect([...of("n3").keys()]).toEqual(["all"]);
  expect([...of("").keys()]).toEqual(["all"]);
});

test("lists in which nothing changed stay the same objects, whatever happens to others", () => {
  const show = listing();
  const before = show(resource("all"), resource("x", "x", "n1"), resource("y", "y", "n2"));
  const lists = ["n1", "n2", "n3"].map(before);
  const same = show(resource("all"), resource("x", "x", "n1"), resource("y", "y", "n2"));
  expect(["n1", "n2", "n3"].map(same).every((list, i) => list === lists[i])).toBe(true);
  const later = show(resource("all"), resource("x", "x2", "n1"), resource("y", "y", "n2"));
  expect(["n1", "n2", "n3"].map((node, i) => later(node) === lists[i])).toEqual([false, true, true]);
  // An older snapshot that somebody still follows does not disturb that.
  expect(before("n1")).toBe(lists[0]);
  expect(show(resource("all"), resource("x", "x2", "n1"), resource("y", "y", "n2"))("n1")).toBe(later("n1"));
});
