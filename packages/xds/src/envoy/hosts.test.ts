import { expect, test } from "vitest";
import { compareSpecificity, intersect, isSubsetOf } from "./hosts.ts";

test.each([
  ["a.example.com", "a.example.com", true],
  ["a.example.com", "*.example.com", true],
  ["a.example.com", "*", true],
  ["*.a.example.com", "*.example.com", true],
  ["*.example.com", "*.a.example.com", false],
  ["*.example.com", "a.example.com", false],
  ["example.com", "*.example.com", false],
])("%s is among %s: %s", (host, pattern, expected) => {
  expect(isSubsetOf(host, pattern)).toBe(expected);
});

test("the narrower of two hosts is what they share", () => {
  expect(intersect("*.example.com", "a.example.com")).toBe("a.example.com");
  expect(intersect("*", "*.example.com")).toBe("*.example.com");
  expect(intersect("a.example.com", "b.example.com")).toBeUndefined();
});

test("exact hosts come before wildcards, longer wildcards before shorter ones", () => {
  expect(["*", "*.b.example.com", "a", "*.com"].sort(compareSpecificity)).toEqual([
    "a",
    "*.b.example.com",
    "*.com",
    "*",
  ]);
});
