import { formatLocation } from "@keelson/model";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { namesOf, podText, ruleText, textsOf } from "../testing/objects.ts";
import { readConfigFile } from "./config-file.ts";

const read = (text: string) => readConfigFile(text, "a.yaml");
const documents = (...texts: string[]): string => texts.join("---\n");

test("every document of a file is an object", () => {
  const content = read(documents(podText("a"), "# nothing\n", ruleText("b"), ""));
  expect(namesOf(content)).toEqual(["a", "b"]);
  expect(content.problems).toEqual([]);
});

test("problems have the line and column of what is wrong", () => {
  const wrongWeight = `${ruleText("c")}  route:\n  - weight: 100\n  - labels: {version: v1}\n    weight: -1\n`;
  expect(textsOf(read(documents(podText("a"), "kind: Pod\nx: ]\n", "kind: Mesh\n", wrongWeight)))).toEqual([
    expect.stringMatching(/^a\.yaml:8:4 /),
    "a.yaml:10:1 kind Mesh is not read and has no effect",
    expect.stringMatching(/^a\.yaml:23:5 .*\(found -1\)$/),
  ]);
});

test("what is wrong with one document does not touch the others", () => {
  expect(namesOf(read(documents(podText("a"), "kind: [\n", podText("b"))))).toEqual(["a", "b"]);
});

test("a rule knows where each field stands; other objects only where they begin", () => {
  const [pod, rule] = read(documents(podText("a"), ruleText("b"))).objects;
  expect(formatLocation(rule?.origin.locate(["spec", "precedence"]) ?? { file: "" })).toBe("a.yaml:14:3");
  expect(formatLocation(pod?.origin.locate(["metadata", "name"]) ?? { file: "" })).toBe("a.yaml:1:1");
});

test("a List gives its items, each with its own place", () => {
  const list = `apiVersion: v1
kind: List
items:
- ${podText("a").replaceAll("\n", "\n  ").trim()}
- kind: Nothing
- ${ruleText("b").replaceAll("\n", "\n  ").trim()}
`;
  const content = read(list);
  expect(namesOf(content)).toEqual(["a", "b"]);
  expect(textsOf(content)).toEqual(["a.yaml:9:3 kind Nothing is not read and has no effect"]);
  const place = content.objects[1]?.origin.locate(["spec", "precedence"]);
  expect(formatLocation(place ?? { file: "" })).toBe("a.yaml:17:5");
});

test.each([
  ['{"apiVersion": "v1", "kind": "PodList", "items": null}', [], []],
  ['{"apiVersion": "v1", "kind": "PodList", "items": []}', [], []],
  ['{"kind": "List", "items": [1]}', [], ["a.yaml:1:28 is not an object with apiVersion and kind, but 1"]],
  ['{"kind": "List"}', [], ["a.yaml:1:2 kind List is not read and has no effect"]],
  [JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name: "a" } }), ["a"], []],
])("JSON: %s", (text, names, problems) => {
  const content = read(text);
  expect(namesOf(content)).toEqual(names);
  expect(textsOf(content)).toEqual(problems);
});

test("an object that contains itself is refused", () => {
  expect(textsOf(read(`${ruleText("a")}  l4Fault: &a {b: *a}\n`))).toEqual([
    "a.yaml:1:1 is nested deeper than 200 levels, or contains itself",
  ]);
});

test("of 5,000 documents only the one that changed becomes another object", () => {
  const texts = Array.from({ length: 5_000 }, (_, i) => podText(`p${i}`));
  const before = read(documents(...texts));
  const after = readConfigFile(documents(...texts.with(2_500, podText("p2500", "v2"))), "a.yaml", before);
  expect(after.objects).toHaveLength(5_000);
  const changed = after.objects.filter((object, i) => object !== before.objects[i]);
  expect(changed.map(({ metadata }) => [metadata.name, metadata.labels])).toEqual([
    ["p2500", { version: "v2" }],
  ]);
});

test("a document that moved is read again, since its problems stand elsewhere now", () => {
  const before = read(ruleText("a"));
  const after = readConfigFile(`# comment\n${ruleText("a")}`, "a.yaml", before);
  expect(after.objects[0]?.origin.locate(["kind"])).toMatchObject({ line: 3 });
});

test("places of a document are found again after others were read", () => {
  const text = documents(ruleText("a"), ruleText("b"));
  const lines = text.split("\n");
  const { objects } = read(text);
  for (const { metadata, origin } of [...objects, ...objects.toReversed()]) {
    const { line = 0 } = origin.locate(["metadata", "name"]);
    expect(lines[line - 1]).toContain(`name: ${metadata.name}`);
  }
});

test("any text is read without an exception, and the same way again", () => {
  const pieces = fc.array(
    fc.constantFrom(
      ..."\n;  ;---\n;...\n;- ;? ;: ;a: ;&a ;*a ;!t ;|;>;[;];{;};,;\";';#;%;\t;\0;\r\n;<<: ".split(";"),
      "apiVersion: config.istio.io/v1alpha2\nkind: RouteRule\n",
      "kind: List\nitems:\n",
      "metadata: {name: a}\n",
      "spec:\n",
    ),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: "binary" }),
        pieces.map((list) => list.join("")),
      ),
      (text) => {
        const content = read(text);
        for (const { location } of content.problems) {
          expect(location.line).toBeGreaterThan(0);
          expect(location.line).toBeLessThanOrEqual(text.split("\n").length);
        }
        const again = readConfigFile(text, "a.yaml", content);
        expect(again.objects.every((object, i) => object === content.objects[i])).toBe(true);
      },
    ),
    { numRuns: 1_000 },
  );
});

test("what may be a Secret is not quoted when it is not valid YAML", () => {
  const broken = (kind: string) => `apiVersion: v1\nkind: ${kind}\ndata:\n  key: "hunter2" hunter2\n`;
  expect(textsOf(read(broken("Secret")))).toEqual([
    "a.yaml:4:18 is not valid YAML (more is not said of what may be a Secret)",
  ]);
  expect(textsOf(read(broken("Service"))).join()).not.toContain("not said");
});
