import type { ApplierStatus } from "./applier-status.ts";
import type { IdleStatus } from "./idle-node.ts";
import type { PodStatus } from "./pods/node-pods.ts";
import type { RelayKeeperStatus } from "./relay/relay-keeper.ts";
import type { SocketStatus } from "./request-programs.ts";
import type { SwitchingStatus } from "./switching/switching-status.ts";

/** As JSON has it: numbers of the kernel are texts there. */
export type Told<T> = {
  readonly [Key in keyof T]: T[Key] extends bigint
    ? string
    : T[Key] extends readonly PodStatus[]
      ? readonly Told<PodStatus>[]
      : T[Key] extends RelayKeeperStatus | undefined
        ? Told<RelayKeeperStatus>
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
    ...(status.unsavedBecause === undefined ? [] : [["not saved", status.unsavedBecause]]),
    ...(status.displaced === undefined ? [] : [["displaced", displacedText]]),
    ["attached to", roots],
    ["relay", status.relay === undefined ? "none: connections are decided once" : relayText(status.relay)],
    ...(status.unwatchedBecause === undefined ? [] : [["unwatched", status.unwatchedBecause]]),
    ...socketFact(status.sockets),
    ...(status.switching === undefined ? [] : switchingFacts(status.switching, status.statistics)),
    ...rejected,
  ];
  return `${columns(facts)}\n\n${columns([["POD", "DECIDED", "WHY"], ...status.pods.map(podRow)])}\n`;
}

const displacedText =
  "its programs do not hang any more where it has put them: somebody has removed or replaced their pins; start it again";

function relayText({
  pid,
  networks,
  connections,
  requests,
  restarts,
  endedBecause,
  bypassed,
}: Told<RelayKeeperStatus>): string {
  const ended = endedBecause === undefined ? "" : ` (${endedBecause})`;
  const restarted = `started again ${counted(restarts, "time")}${ended}`;
  const meanwhile = bypassed
    ? "connections are decided once, without rules for requests"
    : "callers wait for it";
  if (pid === undefined) return `away: ${meanwhile}; ${restarted}`;
  const counts = [
    counted(networks, "network"),
    counted(connections, "connection"),
    counted(Number(requests), "request"),
  ].join(", ");
  return `process ${pid}; ${counts}${restarts === 0 ? "" : `; ${restarted}`}`;
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;

const socketFact = ({ mode, lowerBecause }: SocketStatus): string[][] => {
  if (lowerBecause !== undefined) return [["sockets", `${mode}: ${lowerBecause}`]];
  return mode === "off" ? [] : [["sockets", mode]];
};

/** What programs take off the way to the relay, and why not the rest. */
function switchingFacts(
  { ports, beingMade, tables, tableBytes, rings, ringBytes, others, partly }: SwitchingStatus,
  counts: Counts,
): string[][] {
  const size = [
    `${counted(tables, "match table")} of ${tableBytes / 1024} KiB`,
    ...(rings === 0 ? [] : [`${counted(rings, "ring")} of ${Math.ceil(ringBytes / 1024)} KiB`]),
  ].join(", ");
  return [
    ["switched ports", `${ports}, by ${size}`],
    ...(beingMade === 0 ? [] : [["not switched yet", `${beingMade}, whose match tables are being made`]]),
    ...partly.map(({ hostname, port, why }) => ["partly switched", `${hostname}:${port}: ${why}`]),
    ...others.map(({ hostname, port, why }) => ["not switched", `${hostname}:${port}: ${why}`]),
    ["switched requests", `${counts.switched_requests}, of whose answers ${counts.moved_answers} moved`],
    [
      "passed to the relay",
      Object.entries(passed)
        .map(([name, what]) => `${counts[name as keyof Counts]} ${what}`)
        .join(", "),
    ],
  ];
}

type Counts = Told<ApplierStatus>["statistics"];

const passed: Partial<Record<keyof Counts, string>> = {
  passed_head: "by head or size",
  passed_rule: "by rule",
  passed_behind: "behind others",
  passed_key: "by what they are hashed by",
  passed_no_link: "without a link",
  passed_no_endpoint: "without an endpoint",
};

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
