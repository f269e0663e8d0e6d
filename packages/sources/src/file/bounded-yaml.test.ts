import { expect, test } from "vitest";
import { parseYaml } from "./yaml-documents.ts";

const parse = (text: string) => parseYaml({ text, firstLine: 1 }, "a.yaml");
const messagesOf = (text: string): string[] =>
  parse(text).errors.map(({ message, location }) => `${location.line}:${location.column} ${message}`);

const nested = (levels: number, open: string, close = ""): string =>
  open.repeat(levels) + close.repeat(levels);

// The parser itself recurses, and ends the process with the last one of these.
test.each([
  ["sequences", nested(20_000, "[", "]"), "1:201"],
  ["maps", nested(20_000, "{a: ", "}"), /^1:/],
  ["dashes", nested(20_000, "- "), /^1:/],
  ["question marks", nested(20_000, "? "), /^1:/],
  ["indents", Array.from({ length: 300 }, (_, i) => `${" ".repeat(i)}a:`).join("\n"), "200:201"],
  ["sequences without end", "[".repeat(100_000), "1:201"],
])("%s nested too deeply are refused", (_, text, place) => {
  expect(messagesOf(text)).toEqual([
    expect.stringMatching(typeof place === "string" ? new RegExp(`^${place} `) : place),
  ]);
  expect(messagesOf(text)[0]).toMatch(/is nested deeper than 200 levels$/);
});

test("what people write is not nested too deeply", () => {
  expect(messagesOf(nested(150, "[", "]"))).toEqual([]);
});

test("a few lines of aliases that stand for billions of values are refused", () => {
  const levels = ["a", "b", "c", "d", "e", "f", "g", "h"];
  const text = levels.map((name, i) => {
    const below = i === 0 ? "x" : `*${levels[i - 1] ?? ""}`;
    return `${name}: &${name} [${Array.from({ length: 10 }, () => below).join(",")}]`;
  });
  expect(messagesOf(text.join("\n"))).toEqual([expect.stringMatching(/^1:1 Excessive alias count/)]);
});

test("anchors and aliases as people use them are read", () => {
  expect(parse("a: &x {b: 1}\nc: *x\n")).toMatchObject({ errors: [], value: { a: { b: 1 }, c: { b: 1 } } });
  expect(messagesOf("a: *unknown\n")).toHaveLength(1);
});

test("each alias costs a search, so their number is bounded", () => {
  const text = Array.from({ length: 1_001 }, (_, i) => `- &a${i} x\n- *a${i}\n`).join("");
  expect(messagesOf(text)).toEqual([expect.stringMatching(/^2002:\d+ has more than 1000 aliases$/)]);
});

test.each([
  ["a: 1\nb: 2\na: 3\n", '3:1 "a" stands twice in one map'],
  ["x:\n- {a: 1, b: 2, a: 3}\n", '2:16 "a" stands twice in one map'],
  ['1: a\n"1": b\n', '2:1 "1" stands twice in one map'],
])("a key that stands twice: %j", (text, message) => {
  expect(messagesOf(text)).toEqual([message]);
});

test("a second document that no marker announces", () => {
  expect(messagesOf("a: 1\n...\nb: 2\n")).toEqual(["3:1 holds a second document without ---"]);
});
