import { create } from "@bufbuild/protobuf";
import { HttpMatchSchema } from "@keelson/protos/match";
import { expect, test } from "vitest";
import type { Init } from "../envoy/wire.ts";
import { anyRequest, narrow, type RequestMatch, requestMatches, rewrittenPath, takesAll } from "./match.ts";

const matches = (init: Init<typeof HttpMatchSchema>): RequestMatch[] =>
  requestMatches(create(HttpMatchSchema, init));

const exact = (value: string) => ({ how: { case: "exact" as const, value } });
const prefix = (value: string) => ({ how: { case: "prefix" as const, value } });
const regex = (value: string) => ({ how: { case: "regex" as const, value } });

test("no match is any request", () => {
  expect(requestMatches(undefined)).toEqual([anyRequest]);
  expect(matches({})).toEqual([anyRequest]);
});

test.each([
  [exact("/a"), { path: "/a", prefix: "" }],
  [prefix("/a"), { path: "", prefix: "/a" }],
])("a path: %j", (uri, expected) => {
  expect(matches({ uri })).toEqual([{ ...anyRequest, ...expected }]);
});

test("a regular expression for the path is one for a header that holds the query, too", () => {
  expect(matches({ uri: regex("/[ab]") })).toEqual([
    { ...anyRequest, headers: [{ name: ":path", value: "(?:/[ab])(?:\\?.*)?", regex: true }] },
  ]);
});

test("headers are sorted by name, regular expressions first, and prefixes are quoted", () => {
  const headers = [
    { name: "b", value: exact("2") },
    { name: "b", value: exact("1") },
    { name: "b", value: regex("r.*") },
    { name: "a", value: prefix("x.y*\\") },
    { name: "c" },
  ];
  const [match] = matches({
    headers,
    method: exact("GET"),
    authority: exact("a.com"),
    scheme: exact("https"),
  });
  expect(match?.headers).toEqual([
    { name: ":authority", value: "a.com" },
    { name: ":method", value: "GET" },
    { name: ":scheme", value: "https" },
    { name: "a", value: "^x\\.y\\*\\\\.*", regex: true },
    { name: "b", value: "r.*", regex: true },
    { name: "b", value: "1" },
    { name: "b", value: "2" },
    { name: "c", value: "" },
  ]);
});

test("a prefix of whole segments is the path itself and all below it, and so is what replaces it", () => {
  const [itself, below] = matches({ uri: prefix("/a"), wholeSegments: true });
  expect(itself).toEqual({ ...anyRequest, path: "/a", prefix: "" });
  expect(below).toEqual({ ...anyRequest, prefix: "/a/", holdsSlash: true });
  expect([itself, below].map((match) => rewrittenPath(match ?? anyRequest, "/b"))).toEqual(["/b", "/b/"]);
  expect(rewrittenPath(below ?? anyRequest, "/")).toBe("/");
  expect(rewrittenPath(below ?? anyRequest, "")).toBe("");
});

test("only any path without a condition takes every request", () => {
  expect(takesAll(anyRequest)).toBe(true);
  expect(matches({ uri: prefix("/") }).map(takesAll)).toEqual([true]);
  for (const init of [
    { uri: prefix("/a") },
    { uri: exact("/") },
    { method: exact("GET") },
    { uri: regex(".*") },
  ]) {
    expect(matches(init).map(takesAll)).toEqual([false]);
  }
});

const at = (path: string): RequestMatch => ({ ...anyRequest, path, prefix: "" });
const below = (own: string): RequestMatch => ({ ...anyRequest, prefix: own });

test.each<[string, RequestMatch, RequestMatch, RequestMatch | undefined]>([
  ["the longer prefix", below("/a/b"), below("/a"), below("/a/b")],
  ["the longer prefix", below("/a"), below("/a/b"), below("/a/b")],
  ["the path", at("/a/b"), below("/a"), at("/a/b")],
  ["the path", below("/a"), at("/a/b"), at("/a/b")],
  ["the path", at("/a"), at("/a"), at("/a")],
  ["nothing", at("/a"), at("/b"), undefined],
  ["nothing", at("/a"), below("/b"), undefined],
  ["nothing", below("/a"), at("/b"), undefined],
  ["nothing", below("/a"), below("/b"), undefined],
])("of two paths %s is left", (_, match, wanted, left) => {
  expect(narrow(match, wanted)).toEqual(left);
});
