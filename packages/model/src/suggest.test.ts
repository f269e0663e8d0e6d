import * as fc from "fast-check";
import { expect, test } from "vitest";
import { editDistance, suggest } from "./suggest.ts";

test.each([
  ["kitten", "sitting", 3],
  ["", "abc", 3],
  ["route", "route", 0],
])("%s to %s takes %i edits", (a, b, distance) => {
  expect(editDistance(a, b)).toBe(distance);
});

test("the distance is a metric, and at least the difference of the lengths", () => {
  const word = fc.string({ maxLength: 8 });
  fc.assert(
    fc.property(word, word, word, (a, b, c) => {
      expect(editDistance(a, b)).toBe(editDistance(b, a));
      expect(editDistance(a, c)).toBeLessThanOrEqual(editDistance(a, b) + editDistance(b, c));
      expect(editDistance(a, b)).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
    }),
  );
});

test.each([
  ["presedence", "precedence"],
  ["ROUTE", "route"],
  ["rute", "route"],
  ["xyz", undefined],
  ["x".repeat(10_000_000), undefined],
])("%.20s: %s", (word, expected) => {
  expect(suggest(word, ["route", "precedence", "match"])).toBe(expected);
});

test("the nearest word wins", () => {
  expect(suggest("http2port", ["httpport", "http2ports"])).toBe("httpport");
  expect(suggest("http2ports", ["httpport", "http2ports"])).toBe("http2ports");
});
