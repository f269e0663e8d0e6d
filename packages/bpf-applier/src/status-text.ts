import type { ApplierStatus } from "./applier.ts";
import type { IdleStatus } from "./idle-node.ts";
import type { PodStatus } from "./pods/node-pods.ts";

/** As JSON has it: numbers of the kernel are texts there. */
export type Told<T> = {
  readonly [Key in keyof T]: T[Key] extends bigint
    ? string
    : T[Key] extends readonly PodStatus[]
      ? readonly Told<PodStatus>[]
      : T[Key];
};

/** What a node's agent says of itself, to be read: its state, then a line for each pod. */
export function statusText(status: Told<ApplierStatus> | Told<IdleStatus>): string {
  const connection = status.connected
    ? "connected"
    : `not connected${status.connectionError === undefined ? "" : `: ${status.connectionError}`}`;
  const head = [
    ["node", status.node],
    ["control plane", connection],
  ];
  if ("idleBecause" in status) return `${columns([...head, ["left alone", status.idleBecause]])}\n`;
  const rejected = Object.values(status.rejected).map((reason) => ["rejected", reason]);
  const roots =
    status.attachedTo.length > 0 ? status.attachedTo.join(", ") : "nothing yet: no kubelet's cgroup";
  const facts = [
    ...head,
    ["services", String(status.services)],
    ["attached to", roots],
    ...(status.unwatchedBecause === undefined ? [] : [["unwatched", status.unwatchedBecause]]),
    ...rejected,
  ];
  return `${columns(facts)}\n\n${columns([["POD", "DECIDED", "WHY"], ...status.pods.map(podRow)])}\n`;
}

const podRow = ({ name, uid, decided, why }: Told<PodStatus>): string[] => [
  name === "" ? `uid ${uid}` : name,
  decided ? "yes" : "no",
  why,
];

function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>(
    (known, row) => row.map((cell, i) => Math.max(cell.length, known[i] ?? 0)),
    [],
  );
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
