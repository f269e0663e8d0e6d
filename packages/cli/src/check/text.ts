import type { CheckGroup, Finding, FindingState } from "@keelson/bpf-applier/finding";
import { count, countProblems } from "../output/count.ts";
import type { Paint, Style } from "../output/paint.ts";
import { indent, table } from "../output/table.ts";
import type { CheckReport } from "./report.ts";

const styles: Record<FindingState, Style> = { ok: "green", warning: "yellow", error: "red", skipped: "dim" };

/** Groups of lines "STATE  CHECK  FOUND", and below a line that is not ok what to do. */
export function checkText(report: CheckReport, paint: Paint): string {
  const { looked, groups, counts } = report;
  const phase = report.phase === "pre" ? "before an installation" : "after an installation";
  const skips = counts.skipped === 0 ? "" : `; ${count(counts.skipped, "check")} skipped`;
  return [
    `${looked.join(", ")}, ${phase}`,
    "",
    ...groups.flatMap((group) => [...groupLines(group, paint), ""]),
    `${count(counts.ok, "check")} ok, ${countProblems(counts.error, counts.warning)}${skips}`,
  ].join("\n");
}

function groupLines({ title, findings }: CheckGroup, paint: Paint): string[] {
  const lines = table(findings.map((finding) => row(finding, paint)));
  return [
    paint("bold", title),
    ...findings.flatMap(({ advice }, index) => [
      ...indent([lines[index] ?? ""], 2),
      ...(advice === undefined ? [] : indent([`to do: ${advice}`], 11)),
    ]),
  ];
}

const row = ({ check, state, found }: Finding, paint: Paint): string[] => [
  paint(styles[state], state),
  check,
  found,
];
