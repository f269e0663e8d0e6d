import type { Spread, Tail } from "../spread.ts";
import { short, table } from "../table.ts";
import type { LatencyFigures } from "./latency.ts";
import type { MapRateFigures } from "./map-rate.ts";
import type { BringUp, UpdateTime } from "./update-time.ts";

/** All figures of one run. */
export interface ConnectFigures {
  readonly latency: LatencyFigures;
  readonly mapRate: MapRateFigures;
  readonly updates: readonly UpdateTime[];
  readonly bringUps: readonly BringUp[];
}

const whole = (value: number): string => value.toLocaleString("en-US");
const range = ({ low, high }: Spread, show: (value: number) => string): string =>
  `${show(low)} to ${show(high)}`;
const ratio = (value: number): string => `${value.toFixed(2)}×`;
const tail = ({ median, p99 }: Tail): [string, string] => [short(median), short(p99)];

function section(title: string, rows: readonly (readonly string[])[], left: number, notes: string): string {
  return [title, ...table(rows, left).map((line) => `  ${line}`), notes, ""].join("\n");
}

function latencyText({ latencies, services, rounds, connectsPerRound }: LatencyFigures): string {
  const rows = latencies.flatMap(({ transport, family, paths }) =>
    paths.map(({ path, nanoseconds, ratio: toDirect }, i) => [
      i === 0 ? `${transport} over ${family}` : "",
      path,
      ...tail({ median: nanoseconds.median / 1_000, p99: nanoseconds.p99 / 1_000 }),
      ratio(toDirect.median),
      // The first one is what the others are held against.
      i === 0 ? "" : range(toDirect, ratio),
    ]),
  );
  return section(
    `Time of one connect() call, with ${whole(services)} services on the node`,
    [["", "path", "median µs", "p99 µs", "ratio", "rounds"], ...rows],
    2,
    `One process, one server: to its own address from a cgroup without programs and from a pod's cgroup, and to the
service's address from there. ${whole(rounds)} rounds of ${whole(connectsPerRound)} calls on each path, all three side by side in each round.
Ratio: to the direct path without programs, medians of the same round; "rounds": all but the tenth at either end.`,
  );
}

function mapRateText({
  entries,
  rounds,
  keyBytes,
  valueBytes,
  single,
  batch,
  ratio: toSingle,
}: MapRateFigures): string {
  const row = (name: string, spread: Spread, show: (value: number) => string): string[] => [
    name,
    show(spread.median),
    range(spread, show),
  ];
  return section(
    "Rate at which map entries are written, in entries a second",
    [
      ["", "median", "rounds"],
      row("one call for each", single, short),
      row("one batch", batch, short),
      row("ratio", toSingle, ratio),
    ],
    1,
    `A hash map of ${whole(entries)} entries of ${keyBytes} + ${valueBytes} bytes, all written over in each of ${whole(rounds)} rounds, by bpf-maps-native.`,
  );
}

function updatesText(updates: readonly UpdateTime[]): string {
  const rows = updates.map(({ services, change, changes, liveMilliseconds, ackedMilliseconds }) => [
    whole(services),
    change,
    whole(changes),
    ...tail(liveMilliseconds),
    ...tail(ackedMilliseconds),
  ]);
  return section(
    "Time from a changed file to the node, in ms",
    [["services", "change", "changes", "live median", "p99", "acked median", "p99"], ...rows],
    2,
    `From just before the file is renamed into place. Live: the node's programs read the new tables. Acked: the control
plane's status shows the node's ack; between them the kernel waits until no program reads the old tables. The file
source waits 10 ms for more changes, which is part of both.`,
  );
}

function bringUpText(bringUps: readonly BringUp[]): string {
  const rows = bringUps.map(({ services, objects, controlPlaneMilliseconds, nodeMilliseconds }) => [
    whole(services),
    whole(objects),
    short(controlPlaneMilliseconds),
    short(nodeMilliseconds),
  ]);
  return section(
    "Time to start with a configuration that is there, in ms",
    [["services", "objects", "control plane", "node"], ...rows],
    1,
    `Control plane: from the start of its process until it is ready. Node: from the start of the applier's process, with
no policy saved, until the control plane has its ack of everything. Once for each size.`,
  );
}

export function reportText({ latency, mapRate, updates, bringUps }: ConnectFigures): string {
  return [latencyText(latency), mapRateText(mapRate), updatesText(updates), bringUpText(bringUps)].join("\n");
}
