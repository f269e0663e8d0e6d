import { count } from "../output/count.ts";
import type { Paint } from "../output/paint.ts";
import { problemSummary, problemText } from "../output/problem-text.ts";
import type { ValidationReport } from "./check.ts";

/** A line for each problem, and a last one that sums up: "3 files, 12 objects: 1 error, 2 warnings". */
export function reportText(report: ValidationReport, paint: Paint): string {
  const seen = `${count(report.files, "file")}, ${count(report.objects, "object")}`;
  return [
    ...report.problems.map((problem) => problemText(problem, paint)),
    `${seen}: ${problemSummary(report, paint)}`,
  ].join("\n");
}
