import { median } from "../spread.ts";
import type { Load, LoadResult } from "./http-load.ts";

/** What one round found, in microseconds. */
export interface Sample {
  readonly perSecond: number;
  /** Busy time of the CPUs that were looked at, for each request. */
  readonly cpu: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

/** The middle one of all rounds, the least and the most. */
export interface Range {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** Everything on one CPU, or on all that there are. */
export type Regime = "pinned" | "free";

/** Under which conditions rows are measured beside each other. */
export interface Cell {
  readonly regime: Regime;
  readonly load: Load;
}

/** What one row is in one cell. */
export interface CellRow {
  readonly row: string;
  readonly perSecond: Range;
  readonly cpu: Range;
  readonly p50: Range;
  readonly p99: Range;
  readonly p999: Range;
  /** Cost of a request, to that of the baseline in the same round: see `costOf`. */
  readonly ratio: Range;
}

export interface CellFigures extends Cell {
  readonly rows: readonly CellRow[];
}

export function sampleOf({ measured, nanoseconds, busyNanoseconds, latency }: LoadResult): Sample {
  return {
    perSecond: measured / (nanoseconds / 1e9),
    cpu: busyNanoseconds / 1_000 / measured,
    p50: latency.p50 / 1_000,
    p99: latency.p99 / 1_000,
    p999: latency.p999 / 1_000,
  };
}

/** What a request costs: CPU time where all share a CPU, else time: half of the latencies of an open loop, the mean of a closed one. */
function costOf({ regime, load }: Cell, { cpu, p50, perSecond }: Sample): number {
  if (regime === "pinned") return cpu;
  return load.mode === "open" ? p50 : 1 / perSecond;
}

const rangeOf = (values: readonly number[]): Range => ({
  median: median(values),
  least: Math.min(...values),
  most: Math.max(...values),
});

/** @param baseline the samples of the row that this one is held against, one for each of `samples` */
export function cellRow(
  row: string,
  cell: Cell,
  samples: readonly Sample[],
  baseline: readonly Sample[],
): CellRow {
  const of = (field: keyof Sample): Range => rangeOf(samples.map((sample) => sample[field]));
  const ratios = samples.map((sample, round) => {
    const other = baseline[round];
    if (other === undefined) throw new RangeError(`${row}: round ${round + 1} has no baseline`);
    return costOf(cell, sample) / costOf(cell, other);
  });
  return {
    row,
    perSecond: of("perSecond"),
    cpu: of("cpu"),
    p50: of("p50"),
    p99: of("p99"),
    p999: of("p999"),
    ratio: rangeOf(ratios),
  };
}
