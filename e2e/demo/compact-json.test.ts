import fc from "fast-check";
import { expect, test } from "vitest";
import { compactJson } from "./compact-json.ts";

test("it is the same JSON", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.integer({ min: 5, max: 120 }), (value, width) => {
      const plain = JSON.parse(JSON.stringify(value));
      expect(JSON.parse(compactJson(value, width))).toEqual(plain);
    }),
  );
});

test("what fits stands on one line", () => {
  const value = { short: [1, 2], long: ["a".repeat(20), "b".repeat(20)] };
  expect(compactJson(value, 40)).toBe(`{
  "short": [1, 2],
  "long": [
    "${"a".repeat(20)}",
    "${"b".repeat(20)}"
  ]
}`);
});
