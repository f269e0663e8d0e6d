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

const inLine = (line: number, fields: Partial<Problem> = {}): Problem =>
  problem({ ...fields, location: { file: "a.yaml", line, column: 5 } });

test("a problem that only moves within its file is the same; one that has a second like it is not", () => {
  expect(logged([inLine(3)], [inLine(4)], [inLine(1), inLine(5)], [inLine(6)], [])).toEqual([
    "error a.yaml:3:5: Pod default/a spec: is wrong",
    "error a.yaml:5:5: Pod default/a spec: is wrong",
    "info solved: a.yaml:5:5: Pod default/a spec: is wrong",
    "info solved: a.yaml:6:5: Pod default/a spec: is wrong",
  ]);
});

test("of many that are new or solved at once most are counted, errors come first, and none is told again when others come", () => {
  const numbers = Array.from({ length: 5_000 }, (_, i) => i);
  const many = numbers.map((i) =>
    problem({ severity: i < 4_990 ? "warning" : "error", object: `Pod default/p${i}` }),
  );
  const lines = logged(many, [...many, problem()], many, []);
  expect(lines.slice(0, 10)).toEqual(
    many.slice(-10).map(({ object }) => `error a.yaml:3:5: ${object} spec: is wrong`),
  );
  expect(lines[10]).toBe("warn a.yaml:3:5: Pod default/p0 spec: is wrong");
  expect(lines.slice(20, 23)).toEqual([
    "warn 4980 more problems, 0 of them errors; `keelson status --output json` shows all there are",
    "error a.yaml:3:5: Pod default/a spec: is wrong",
    "info solved: a.yaml:3:5: Pod default/a spec: is wrong",
  ]);
  expect(lines.slice(-1)).toEqual([
    "info solved: 4980 more problems; `keelson status --output json` shows all there are",
  ]);
  expect(lines).toHaveLength(21 + 2 + 21);
});

test("errors among those that are counted are said to be there", () => {
  const many = Array.from({ length: 22 }, (_, i) => problem({ object: `Pod default/p${i}` }));
  expect(logged(many).at(-1)).toMatch(/^error 2 more problems, 2 of them errors; /);
  expect(logged(many.slice(0, 20))).toHaveLength(20);
});

test("what no object has is said without one, and % is no format", () => {
  expect(
    logged([problem({ object: "", field: "", message: "100%s of %d", location: { file: "b.yaml" } })]),
  ).toEqual(["error b.yaml: 100%s of %d"]);
});
