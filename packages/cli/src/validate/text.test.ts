import { expect, test } from "vitest";
import { plain } from "../output/paint.ts";
import { reportText } from "./text.ts";

test("problems line by line, then the sum", () => {
  const problem = { object: "", field: "", location: { file: "a.yaml", line: 3, column: 1 } };
  const report = {
    files: 3,
    objects: 12,
    errors: 1,
    warnings: 1,
    problems: [
      { ...problem, severity: "error", message: "one" },
      { ...problem, severity: "warning", message: "two" },
    ],
  } as const;
  expect(reportText(report, plain)).toBe(
    ["a.yaml:3:1: error: one", "a.yaml:3:1: warning: two", "3 files, 12 objects: 1 error, 1 warning"].join(
      "\n",
    ),
  );
});

test("all is well", () => {
  expect(reportText({ files: 1, objects: 1, errors: 0, warnings: 0, problems: [] }, plain)).toBe(
    "1 file, 1 object: no problems",
  );
});
