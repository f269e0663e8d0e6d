import { expect, test } from "vitest";
import { WeakPairs } from "./weak-pairs.ts";

test("each pair has its own value", () => {
  const pairs = new WeakPairs<object, object, string>();
  const [a, b, x, y] = [{}, {}, {}, {}];
  expect(pairs.get(a, x)).toBeUndefined();
  expect([pairs.set(a, x, "ax"), pairs.set(a, y, "ay"), pairs.set(b, x, "bx")]).toEqual(["ax", "ay", "bx"]);
  expect([pairs.get(a, x), pairs.get(a, y), pairs.get(b, x), pairs.get(b, y)]).toEqual([
    "ax",
    "ay",
    "bx",
    undefined,
  ]);
  pairs.set(a, x, "new");
  expect(pairs.get(a, x)).toBe("new");
});
