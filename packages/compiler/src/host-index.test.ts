import { expect, test } from "vitest";
import { HostIndex } from "./host-index.ts";

const index = new HostIndex([
  ["*.com", "com"],
  ["a.example.com", "first"],
  ["*.example.com", "example"],
  ["a.example.com", "second"],
  ["*", "all"],
  ["*.example.com", "later"],
]);

test.each([
  ["a.example.com", ["first", "second", "example", "later", "com", "all"]],
  ["b.a.example.com", ["example", "later", "com", "all"]],
  ["example.com", ["com", "all"]],
  [".example.com", ["com", "all"]],
  ["example.org", ["all"]],
])("%s: its own name first, then the longer wildcards", (hostname, expected) => {
  expect(index.find(hostname)).toEqual(expected);
});

test("what has two names that fit is found once", () => {
  const twice = new HostIndex([
    ["a.b", "one"],
    ["*.b", "one"],
  ]);
  expect(twice.find("a.b")).toEqual(["one"]);
});

test("nothing is said of other hosts", () => {
  expect(new HostIndex([["a.b", 1]]).find("c.a.b")).toEqual([]);
});
