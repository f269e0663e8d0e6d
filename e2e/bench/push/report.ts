import { median, quantile, ratioOf, type Spread, spreadOf } from "../spread.ts";
import { short, table } from "../table.ts";
import type { CrowdOptions } from "./clients/messages.ts";
import { type MeshSize, namespacesOf, scopeSize } from "./mesh.ts";
import type { Reach, Round } from "./round.ts";

interface Setting extends MeshSize {
  readonly clients: number;
  readonly variant: CrowdOptions["variant"];
}

/** The same rounds of both, in turns. */
export interface SideBySide extends Setting {
  readonly keelson: readonly Round[];
  readonly istiod: readonly Round[];
}

export interface LargeFigures extends Setting {
  readonly round: Round;
}

/** All figures of one run. */
export interface PushFigures {
  /** Of all control planes. */
  readonly environment: Readonly<Record<string, string>>;
  readonly sideBySide: readonly SideBySide[];
  readonly large: readonly LargeFigures[];
}

const whole = (value: number): string => value.toLocaleString("en-US");
const ratio = (value: number): string => `${value.toFixed(2)}×`;
const mebibytes = (bytes: number): number => bytes / 2 ** 20;

const changesOf = ({ changes }: Round, reach: Reach) => changes.filter((change) => change.reach === reach);
const medianOf = (round: Round, reach: Reach, part: "median" | "last"): number =>
  median(changesOf(round, reach).map((change) => change[part]));

/** One figure of a round, in the unit of its name. */
const rows: readonly (readonly [string, (round: Round) => number])[] = [
  ["bring-up, s", ({ bringUpMilliseconds }) => bringUpMilliseconds / 1000],
  ["bring-up, CPU s", ({ bringUpCpuSeconds }) => bringUpCpuSeconds],
  ["change seen by all → median client, ms", (round) => medianOf(round, "all", "median")],
  ["change seen by all → last client, ms", (round) => medianOf(round, "all", "last")],
  ["change in one namespace → last client, ms", (round) => medianOf(round, "namespace", "last")],
  ["changes, CPU ms each", ({ changesCpuSeconds, changes }) => (changesCpuSeconds * 1000) / changes.length],
  ["RSS when all are up, MiB", ({ rssBytes }) => mebibytes(rssBytes)],
  ["highest RSS, MiB", ({ peakRssBytes }) => mebibytes(peakRssBytes)],
];

function sideBySideText(figures: SideBySide): string {
  const { clients, variant, keelson, istiod } = figures;
  const lines = rows.map(([name, figure]) => {
    const [ours, theirs] = [keelson.map(figure), istiod.map(figure)];
    const toIstiod: Spread = ratioOf(ours, theirs);
    return [
      name,
      short(spreadOf(ours).median),
      short(spreadOf(theirs).median),
      ratio(toIstiod.median),
      `${ratio(toIstiod.low)} to ${ratio(toIstiod.high)}`,
    ];
  });
  return [
    `${whole(clients)} clients, ${variant}`,
    ...table([["", "Keelson", "istiod", "ratio", "rounds"], ...lines]).map((line) => `  ${line}`),
    "",
  ].join("\n");
}

function sideBySideSection({ sideBySide, environment }: PushFigures): string {
  const [first] = sideBySide;
  if (first === undefined) return "";
  const { services, endpointsPerService, keelson } = first;
  return [
    `${meshText(first)}, beside istiod`,
    "",
    ...sideBySide.map(sideBySideText),
    `Medians of ${keelson.length} rounds, in each of which both run one after the other; "rounds": the ratio in all but the tenth of
rounds at either end. Both with ${Object.entries(environment)
      .map(([name, value]) => `${name}=${value}`)
      .join(", ")}:
no turn of clients is waited for, and no pause after an endpoint's change, for which both wait 100 ms by default.
Both read ${whole(services)} ServiceEntries with ${endpointsPerService} endpoints each from one real kube-apiserver, whose CPU and memory do not count.
A change begins just before the API server is asked for it, and is one endpoint's address. CPU and memory are those of the control plane's processes alone.
`,
  ].join("\n");
}

const meshText = ({ services, endpointsPerService }: MeshSize): string =>
  `${whole(services)} services, ${whole(services * endpointsPerService)} endpoints`;

function largeSection(large: readonly LargeFigures[]): string {
  const [first] = large;
  if (first === undefined) return "";
  const lines = large.map(({ clients, variant, round }) => {
    const ofAll = changesOf(round, "all").map(({ last }) => last);
    const ofSome = changesOf(round, "namespace").map(({ last }) => last);
    return [
      whole(clients),
      variant,
      short(round.bringUpMilliseconds / 1000),
      short(round.bringUpCpuSeconds),
      short(medianOf(round, "all", "median")),
      short(median(ofAll)),
      short(Math.max(...ofAll)),
      short(median(ofSome)),
      short(quantile(ofSome, 0.99)),
      short(Math.max(...ofSome)),
      short(round.changesCpuSeconds),
      short(mebibytes(round.rssBytes)),
      short(mebibytes(round.peakRssBytes)),
    ];
  });
  const { round } = first;
  const heads = [
    [
      "",
      "",
      "bring-up",
      "",
      "seen by all: median",
      "last client",
      "",
      "in a namespace:",
      "last client",
      "",
      "changes",
      "RSS",
      "",
    ],
    [
      "clients",
      "",
      "s",
      "CPU s",
      "client ms",
      "median ms",
      "worst",
      "median ms",
      "p99",
      "worst",
      "CPU s",
      "up MiB",
      "highest",
    ],
  ];
  return [
    `${meshText(first)}, Keelson alone`,
    ...table([...heads, ...lines], 2).map((line) => `  ${line}`),
    `It reads files, one for each service. ${whole(round.changes.length)} changes of one endpoint in ${(round.changesMilliseconds / 1000).toFixed(0)} s, ${whole(changesOf(round, "all").length)} of them of the service that all clients see. Settings are
those of above; by default, changes that come in quick succession wait for a pause, for up to 10 s. Once for each row.
`,
  ].join("\n");
}

export function reportText(figures: PushFigures): string {
  const [any] = [...figures.sideBySide, ...figures.large];
  const scope =
    any === undefined
      ? ""
      : `Simulated sidecars, each with a connection of its own, ask for clusters, endpoints, listeners and routes and ack all.
Every ${scopeSize} services are a namespace (${namespacesOf(any)} here) with a Sidecar that sees ${scopeSize} services: its own but one, and
one that all see. Clients are spread evenly over the namespaces. Times end when a client writes its ack.
`;
  return [scope, sideBySideSection(figures), largeSection(figures.large)].join("\n");
}
