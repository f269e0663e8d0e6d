import type { Problem } from "@keelson/model";
import { expect, test } from "vitest";
import { plain } from "./paint.ts";
import { compareProblems, problemSummary, problemText } from "./problem-text.ts";

const problem = (part: Partial<Problem>): Problem => ({
  severity: "error",
  message: 'unknown field "wieght"; did you mean "weight"?',
  object: "RouteRule default/x",
  field: "spec.route[1].wieght",
  location: { file: "a.yaml", line: 12, column: 5 },
  ...part,
});

test("a problem reads like a compiler's", () => {
  expect(problemText(problem({}), plain)).toBe(
    'a.yaml:12:5: error: RouteRule default/x spec.route[1].wieght: unknown field "wieght"; did you mean "weight"?',
  );
});

test("what is not known is left out", () => {
  const unread = problem({ object: "", field: "", message: "cannot be read", location: { file: "a.yaml" } });
  expect(problemText(unread, plain)).toBe("a.yaml: error: cannot be read");
});

test.each([
  ["error", "<bold>a.yaml:12:5</>: <red>error</>: m"],
  ["warning", "<bold>a.yaml:12:5</>: <yellow>warning</>: m"],
] as const)("an %s has its colour", (severity, text) => {
  const shown = problem({ severity, object: "", field: "", message: "m" });
  expect(problemText(shown, (style, painted) => `<${style}>${painted}</>`)).toBe(text);
});

test("problems are sorted by file, line and column as numbers, errors before warnings", () => {
  const at = (file: string, line: number, column: number, severity: Problem["severity"] = "error"): Problem =>
    problem({ severity, location: { file, line, column } });
  const sorted = [
    problem({ location: { file: "a.yaml" } }),
    at("a.yaml", 2, 10),
    at("a.yaml", 10, 2),
    at("a.yaml", 10, 2, "warning"),
    at("a.yaml", 10, 10),
    at("b.yaml", 1, 1),
  ];
  expect(sorted.toReversed().sort(compareProblems)).toEqual(sorted);
});

test.each([
  [0, 0, "no problems"],
  [1, 0, "1 error"],
  [0, 1, "1 warning"],
  [2, 1_200, "2 errors, 1,200 warnings"],
])("%i errors and %i warnings: %s", (errors, warnings, text) => {
  expect(problemSummary({ errors, warnings }, plain)).toBe(text);
});
