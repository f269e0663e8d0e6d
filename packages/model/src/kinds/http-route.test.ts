import { expect, test } from "vitest";
import { parseObject } from "../parse-object.ts";
import { httpRoute, originAt } from "../testing/index.ts";

test("a header modifier has values of one line", () => {
  const filters = (value: string) => [
    { type: "ResponseHeaderModifier", responseHeaderModifier: { set: [{ name: "x-made", value }] } },
  ];
  const problemsOf = (value: string): string[] =>
    parseObject(
      httpRoute({ spec: { rules: [{ filters: filters(value) }] } }),
      originAt("a.yaml"),
    ).problems.map(({ field, message }) => `${field}: ${message}`);
  expect(problemsOf("tab\t and caf\u2603")).toEqual([]);
  expect(problemsOf("a\r\nb: c")).toEqual([
    'spec.rules[0].filters[0].responseHeaderModifier.set[0].value: is not a header\'s value: it has a control character (found "a\\r\\nb: c")',
  ]);
});
