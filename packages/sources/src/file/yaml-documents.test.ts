import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseYaml, splitDocuments } from "./yaml-documents.ts";

const parse = (text: string) => parseYaml({ text, firstLine: 1 }, "a.yaml");
const valuesOf = (text: string): unknown[] =>
  splitDocuments(text)
    .map((document) => parseYaml(document, "a.yaml").value)
    .filter((value) => value !== null);

test("documents, each with the line on which it begins", () => {
  expect(splitDocuments("a: 1\n---\nb: 2\n--- # c\nd: 3")).toEqual([
    { text: "a: 1\n", firstLine: 1 },
    { text: "---\nb: 2\n", firstLine: 2 },
    { text: "--- # c\nd: 3", firstLine: 4 },
  ]);
});

test.each<[string, string, unknown[]]>([
  ["an empty file", "", []],
  ["comments only", "# a\n\n# b\n", []],
  ["a marker in front", "---\na: 1\n", [{ a: 1 }]],
  ["markers without anything between", "---\n---\na: 1\n---\n", [{ a: 1 }]],
  ["a licence in front", "# licence\n\n---\na: 1\n---\nb: 2\n", [{ a: 1 }, { b: 2 }]],
  ["a directive", "%YAML 1.2\n# c\n---\na: 1\n", [{ a: 1 }]],
  ["the end of a document", "a: 1\n...\n---\nb: 2\n...\n", [{ a: 1 }, { b: 2 }]],
  ["a document without a marker after the end of another", "a: 1\n...\nb: 2\n", [{ a: 1 }, { b: 2 }]],
  ["Windows' line ends", "a: 1\r\n---\r\nb: 2\r\n", [{ a: 1 }, { b: 2 }]],
  ["a byte order mark", "\uFEFF---\na: 1\n", [{ a: 1 }]],
  ["what only looks like a marker", "a: |\n  ---\n  ...\nb: ---c\n", [{ a: "---\n...\n", b: "---c" }]],
  ["JSON", '{"a": [1, {"b": null}]}', [{ a: [1, { b: null }] }]],
])("%s", (_, text, values) => {
  expect(valuesOf(text)).toEqual(values);
});

test.each([
  ["a:\n\tb: 1\n", 2, 1],
  ["a: [1, 2\nb: 3\n", 2, 1],
  ['a: "b\n', 2, 1],
  ['{"a": 1,, "b": 2}', 1, 9],
])("a syntax error in %j is on line %i, column %i", (text, line, column) => {
  const { errors, value } = parse(text);
  expect(errors[0]?.location).toEqual({ file: "a.yaml", line, column });
  expect(value).toBeUndefined();
});

test("lines count from the beginning of the file", () => {
  const [, second] = splitDocuments("a: 1\nb: 2\n---\nc: 3\nd: [\n");
  const { errors } = parseYaml(second ?? { text: "", firstLine: 0 }, "a.yaml");
  expect(errors[0]?.location).toMatchObject({ file: "a.yaml", line: 6 });
});

test.each<[(string | number)[], string]>([
  [["spec", "route", 1, "weight"], "7:5"],
  [["spec", "route", 1], "6:5"],
  [["spec", "route", 1, "labels", "version"], "6:5"],
  [["spec", "httpFault"], "8:3"],
  [["spec", "nothing"], "3:1"],
  [["nothing"], "2:1"],
  [[], "2:1"],
])("%j is found at %s, or what encloses it", (path, place) => {
  const text =
    "# a\nkind: X\nspec:\n  route:\n  - labels: {}\n  - destination: {}\n    weight: 5\n  http_fault: {}\n";
  const { line, column } = parse(text).locate(path);
  expect(`${line}:${column}`).toBe(place);
});

test("splitting loses nothing, and every document knows its line", () => {
  const line = fc.constantFrom("---", "--- a", "...", "a: 1", "# c", "%YAML 1.2", "", "  ---", "\r");
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const whole = lines.join("\n");
      const documents = splitDocuments(whole);
      expect(documents.map(({ text }) => text).join("")).toBe(whole);
      let end = 0;
      for (const { text, firstLine } of documents) {
        if (text !== "") expect(firstLine).toBe(whole.slice(0, end).split("\n").length);
        end += text.length;
      }
    }),
  );
});
