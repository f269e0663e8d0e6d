import fc from "fast-check";
import { expect, test } from "vitest";
import { goJson, optional } from "./go-json.ts";

test("one space is the prefix of every line but the first, and one more each level's indent", () => {
  expect(goJson({ a: [1, { b: "c" }], d: [], e: {} })).toBe(
    '{\n  "a": [\n   1,\n   {\n    "b": "c"\n   }\n  ],\n  "d": [],\n  "e": {}\n }',
  );
});

test.each([
  [null, "null"],
  [[], "[]"],
  ["<a>&b", '"\\u003ca\\u003e\\u0026b"'],
  ["\u2028\u2029", '"\\u2028\\u2029"'],
  ["\b\f\n\r\t\u0001", '"\\u0008\\u000c\\n\\r\\t\\u0001"'],
  // The backslash is the text's own: what follows it is no escape.
  ["\\b", '"\\\\b"'],
  ['"\\"', '"\\"\\\\\\""'],
])("%j is %s, as Go writes it", (value, text) => {
  expect(goJson(value)).toBe(text);
});

test("it is JSON of the same value, and holds nothing that HTML would read", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = goJson(value);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      expect(text).not.toMatch(/[<>&\u2028\u2029]/);
    }),
  );
});

test.each([[undefined], [false], [0], [""], [[]]])("a field of %j is left out", (value) => {
  expect(optional("field", value)).toEqual({});
});

test.each([[true], [1], ["a"], [["a"]], [{}]])("a field of %j stays", (value) => {
  expect(optional("field", value)).toEqual({ field: value });
});
