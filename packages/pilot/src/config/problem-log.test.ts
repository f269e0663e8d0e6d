import type { Problem } from "@keelson/model";
import { pino } from "pino";
import { expect, test } from "vitest";
import { ProblemLog } from "./problem-log.ts";

const problem = (fields: Partial<Problem> = {}): Problem => ({
  severity: "error",
  message: "is wrong",
  object: "Pod default/a",
  field: "spec",
  location: { file: "a.yaml", line: 3, column: 5 },
  ...fields,
});

/** What is logged of problems that are there one after the other. */
function logged(...rounds: Problem[][]): string[] {
  const lines: string[] = [];
  const write = (line: string): void => {
    const { level, msg } = JSON.parse(line) as { level: number; msg: string };
    lines.push(`${pino.levels.labels[level] ?? ""} ${msg}`);
  };
  const log = new ProblemLog(pino({}, { write }));
  for (const round of rounds) log.take(round);
  return lines;
}

test("each problem is said once, with its place, and once more when it is solved", () => {
  const warning = problem({ severity: "warning", message: "has no effect" });
  expect(logged([problem()], [problem(), warning], [warning], [])).toEqual([
    "error a.yaml:3:5: Pod default/a spec: is wrong",
    "warn a.yaml:3:5: Pod default/a spec: has no effect",
    "info solved: a.yaml:3:5: Pod default/a spec: is wrong",
    "info solved: a.yaml:3:5: Pod default/a spec: has no effect",
  ]);
});

test("a problem that comes back is said again", () => {
  expect(logged([problem()], [], [problem()])).toHaveLength(3);
});

test("two problems that read alike are one line", () => {
  expect(logged([problem(), problem()])).toHaveLength(1);
});

test("what no object has is said without one, and % is no format", () => {
  expect(
    logged([problem({ object: "", field: "", message: "100%s of %d", location: { file: "b.yaml" } })]),
  ).toEqual(["error b.yaml: 100%s of %d"]);
});
