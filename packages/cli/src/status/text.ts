import type { Problem } from "@keelson/model";
import { age } from "../output/age.ts";
import { count } from "../output/count.ts";
import type { Paint, Style } from "../output/paint.ts";
import { countBySeverity, problemSummary, problemText } from "../output/problem-text.ts";
import { indent, table } from "../output/table.ts";
import type { NodeState, StatedNode, StatusReport } from "./node-state.ts";

/** Further problems are counted only; JSON and YAML have them all. */
const shownProblems = 5;

export function statusText(report: StatusReport, now: Date, paint: Paint): string {
  const { server, program, startedAt, version, versionSince, services, objects, problems, nodes } = report;
  const facts = [
    ["control plane", server],
    ["program", `${program}, up for ${age(startedAt, now)}`],
    ["version", version === "" ? "none yet" : `${version}, for ${age(versionSince, now)}`],
    ["configuration", `${count(services, "service")} from ${count(objects, "object")}`],
    ["problems", problemSummary(countBySeverity(problems), paint)],
    ...(nodes.length > 1 ? [["nodes", nodeSummary(nodes, paint)]] : []),
  ];
  const hidden = problems.length - shownProblems;
  return [
    ...table(facts.map(([name = "", value = ""]) => [paint("bold", name), value])),
    ...indent(
      errorsFirst(problems)
        .slice(0, shownProblems)
        .map((problem) => problemText(problem, paint)),
      2,
    ),
    ...(hidden > 0 ? [`  and ${hidden} more: keelson status -o json shows them`] : []),
    "",
    ...nodeLines(nodes, now, paint),
  ].join("\n");
}

const errorsFirst = (problems: readonly Problem[]): Problem[] => [
  ...problems.filter(({ severity }) => severity === "error"),
  ...problems.filter(({ severity }) => severity !== "error"),
];

/** "2 REJECTED, 998 SYNCED": of many nodes the table alone does not show whether one is not as it should be. */
function nodeSummary(nodes: readonly StatedNode[], paint: Paint): string {
  const parts = (["REJECTED", "PENDING", "SYNCED"] as const).map((state) => ({
    state,
    of: nodes.filter((node) => node.state === state).length,
  }));
  return parts
    .filter(({ of }) => of > 0)
    .map(({ state, of }) => paint(styles[state], `${of.toLocaleString("en-US")} ${state}`))
    .join(", ");
}

function nodeLines(nodes: readonly StatedNode[], now: Date, paint: Paint): string[] {
  if (nodes.length === 0) return ["no node is connected"];
  return [
    ...table([heading, ...nodes.map((node) => rowOf(node, now, paint))]),
    ...nodes.flatMap((node) => rejectionLines(node, paint)),
  ];
}

const heading = ["NODE", "STATE", "WANTED", "APPLIED", "CONNECTED"];

const styles: Record<NodeState, Style> = { SYNCED: "green", PENDING: "yellow", REJECTED: "red" };

function rowOf(node: StatedNode, now: Date, paint: Paint): string[] {
  const { name, state, wantedVersion, appliedVersion, connectedAt, pendingSince } = node;
  const waiting = state === "PENDING" && pendingSince !== undefined ? ` for ${age(pendingSince, now)}` : "";
  return [
    name,
    paint(styles[state], state + waiting),
    wantedVersion,
    appliedVersion === "" ? "none yet" : appliedVersion,
    age(connectedAt, now),
  ];
}

/** A reason may have many lines, such as a verifier's log. */
function rejectionLines({ name, rejected }: StatedNode, paint: Paint): string[] {
  return Object.entries(rejected).flatMap(([type, reason]) => {
    const [first = "", ...more] = reason.trimEnd().split("\n");
    const kind = type.split("/").at(-1) ?? type;
    return ["", `${paint("red", `${name} rejected ${kind}`)}: ${first}`, ...indent(more, 2)];
  });
}
