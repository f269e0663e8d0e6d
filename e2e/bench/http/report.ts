import { short, table } from "../table.ts";
import type { CellFigures, CellRow, Range, Regime } from "./figures.ts";
import type { Load } from "./http-load.ts";
import type { IdleFigures } from "./measuring.ts";

/** A row as the report names it. */
export interface ReportedRow {
  readonly name: string;
  readonly what: string;
  /** Why it has no figures, or not all. */
  readonly fault?: string;
}

/** All figures of one run. */
export interface HttpFigures {
  readonly rounds: number;
  /** The row that ratios are held against. */
  readonly baseline: string;
  readonly rows: readonly ReportedRow[];
  readonly cells: readonly CellFigures[];
  readonly idle: readonly IdleFigures[];
}

/** A column of a table: what stands above it, and what a row has in it. */
interface Column {
  readonly title: string;
  readonly of: (row: CellRow) => string;
}

const value = (title: string, pick: (row: CellRow) => Range): Column => ({
  title,
  of: (row) => short(pick(row).median),
});

/** "1.42× (1.40–1.45)": the middle round, the least and the most. */
const ratio: Column = {
  title: "ratio (rounds)",
  of: ({ ratio: { median, least, most } }) =>
    `${median.toFixed(2)}× (${least.toFixed(2)}–${most.toFixed(2)})`,
};

const columnsOf: Readonly<Record<Regime, Readonly<Record<Load["mode"], readonly Column[]>>>> = {
  pinned: {
    closed: [value("CPU µs", ({ cpu }) => cpu), ratio],
    open: [],
    connects: [value("CPU µs", ({ cpu }) => cpu), ratio],
  },
  free: {
    closed: [
      value("a second", ({ perSecond }) => perSecond),
      ratio,
      value("p50 µs", ({ p50 }) => p50),
      value("p99", ({ p99 }) => p99),
    ],
    open: [
      value("p50 µs", ({ p50 }) => p50),
      ratio,
      value("p99", ({ p99 }) => p99),
      value("p99.9", ({ p999 }) => p999),
    ],
    connects: [value("a second", ({ perSecond }) => perSecond), ratio, value("p99 µs", ({ p99 }) => p99)],
  },
};

/** One table of cells side by side. */
function cellsText(
  title: string,
  cells: readonly CellFigures[],
  above: (load: Load) => string,
  rows: readonly string[],
): string {
  const parts = cells.map((cell) => ({ cell, columns: columnsOf[cell.regime][cell.load.mode] }));
  const heading = (text: (part: (typeof parts)[number], column: Column, i: number) => string): string[] => [
    "",
    ...parts.flatMap((part) => part.columns.map((column, i) => text(part, column, i))),
  ];
  const lines = rows.map((name) => [
    name,
    ...parts.flatMap(({ cell, columns }) => {
      const found = cell.rows.find(({ row }) => row === name);
      return columns.map((column) => (found === undefined ? "–" : column.of(found)));
    }),
  ]);
  const all = [
    heading(({ cell }, _, i) => (i === 0 ? above(cell.load) : "")),
    heading((_, column) => column.title),
    ...lines,
  ];
  return [title, ...table(all).map((line) => `  ${line}`), ""].join("\n");
}

const bytes = (size: number): string => {
  if (size >= 2 ** 20) return `${size / 2 ** 20} MiB`;
  return size >= 1024 ? `${size / 1024} KiB` : `${size} B`;
};

function idleText(idle: readonly IdleFigures[]): string {
  const [first] = idle;
  if (first === undefined) return "";
  const rows = idle.map(({ row, process, slab, taken }) => [row, short(process), short(slab), short(taken)]);
  return [
    `Bytes for each of ${short(first.connections)} connections that wait, after one request on each`,
    ...table([["", "process", "slab", "all"], ...rows]).map((line) => `  ${line}`),
    "  process: what stands between (Pss); slab: the kernel's objects; all: by MemAvailable, with both ends of all connections",
    "",
  ].join("\n");
}

function notes({ rounds, baseline, rows }: HttpFigures): string {
  const names = rows.map(({ name, what, fault }) => [
    name,
    fault === undefined ? what : `NOT MEASURED: ${fault}`,
  ]);
  return [
    `Rows, measured beside each other in each of ${rounds} rounds, of which the middle one is shown. The ratio is to "${baseline}" in the same`,
    "round: of CPU time where all are pinned (/proc/stat of that CPU), else of time: of a request in the closed loop, of the",
    "median latency in the open one. A row counts only if the servers answered as many requests as were sent.",
    ...table(names, 2).map((line) => `  ${line}`),
    "",
  ].join("\n");
}

const titles: Readonly<Record<Regime, string>> = {
  pinned: "Everything pinned to one CPU",
  free: "Free",
};

function regimeText({ cells, rows }: HttpFigures, regime: Regime): string[] {
  const own = cells.filter((cell) => cell.regime === regime);
  const names = rows.map(({ name }) => name);
  const of = (mode: Load["mode"]): CellFigures[] => own.filter(({ load }) => load.mode === mode);
  const sizes = [...new Set(of("closed").map(({ load }) => load.size))];
  const closed = sizes.map((size) =>
    cellsText(
      `${titles[regime]}: closed loop, ${bytes(size)}`,
      of("closed").filter(({ load }) => load.size === size),
      ({ connections }) => `${connections} at once`,
      names,
    ),
  );
  const rest = [
    { mode: "open", what: "open loop", above: ({ rate }: Load) => `${short(rate ?? 0)} a second` },
    {
      mode: "connects",
      what: "a new connection for each request",
      above: ({ connections }: Load) => `${connections} at once`,
    },
  ] as const;
  const others = rest
    .filter(({ mode }) => of(mode).length > 0)
    .map(({ mode, what, above }) => cellsText(`${titles[regime]}: ${what}, 128 B`, of(mode), above, names));
  return [...closed, ...others];
}

export function reportText(figures: HttpFigures): string {
  return [
    ...regimeText(figures, "pinned"),
    ...regimeText(figures, "free"),
    idleText(figures.idle),
    notes(figures),
  ].join("\n");
}
