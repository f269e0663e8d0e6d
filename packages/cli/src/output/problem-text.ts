import { formatLocation, type Problem } from "@keelson/model";
import { countProblems } from "./count.ts";
import type { Paint } from "./paint.ts";

/** "rules.yaml:12:5: error: RouteRule default/x spec.route[0]: …", as compilers write, so that editors find the place. */
export function problemText({ severity, message, object, field, location }: Problem, paint: Paint): string {
  const what = [object, field].filter((part) => part !== "").join(" ");
  return [
    paint("bold", formatLocation(location)),
    paint(severity === "error" ? "red" : "yellow", severity),
    ...(what === "" ? [] : [what]),
    message,
  ].join(": ");
}

/** By file, then by place, then errors first. */
export function compareProblems(a: Problem, b: Problem): number {
  return (
    compareTexts(a.location.file, b.location.file) ||
    (a.location.line ?? 0) - (b.location.line ?? 0) ||
    (a.location.column ?? 0) - (b.location.column ?? 0) ||
    compareTexts(a.severity, b.severity) ||
    compareTexts(a.message, b.message)
  );
}

const compareTexts = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);

export interface ProblemCounts {
  readonly errors: number;
  readonly warnings: number;
}

export function countBySeverity(problems: readonly Problem[]): ProblemCounts {
  const errors = problems.filter(({ severity }) => severity === "error").length;
  return { errors, warnings: problems.length - errors };
}

/** "1 error, 2 warnings" in the colour of the worst. */
export function problemSummary({ errors, warnings }: ProblemCounts, paint: Paint): string {
  return paint(errors > 0 ? "red" : warnings > 0 ? "yellow" : "green", countProblems(errors, warnings));
}
