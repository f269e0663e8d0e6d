/** A value that differs from round to round. */
export interface Spread {
  readonly median: number;
  /** One round in ten is below `low`, one in ten above `high`. */
  readonly low: number;
  readonly high: number;
}

/** Median and 99th percentile of single measurements. */
export interface Tail {
  readonly median: number;
  readonly p99: number;
}

/**
 * The value below which a part `q` (0 to 1) of the values lies, between two neighbours by straight line (method 7 of
 * Hyndman and Fan, 1996).
 * @throws RangeError if there are no values.
 */
export function quantile(values: readonly number[] | Uint32Array, q: number): number {
  const sorted = Float64Array.from(values).sort();
  const place = (sorted.length - 1) * q;
  const [below, above] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  if (below === undefined || above === undefined) throw new RangeError("there are no values");
  return below + (above - below) * (place - Math.floor(place));
}

export const median = (values: readonly number[] | Uint32Array): number => quantile(values, 0.5);

export const tailOf = (values: readonly number[] | Uint32Array): Tail => ({
  median: median(values),
  p99: quantile(values, 0.99),
});

export const spreadOf = (values: readonly number[]): Spread => ({
  median: median(values),
  low: quantile(values, 0.1),
  high: quantile(values, 0.9),
});

/** Rounds of two things measured side by side: how much more `values` are than `others`, round by round. */
export function ratioOf(values: readonly number[], others: readonly number[]): Spread {
  if (values.length !== others.length)
    throw new RangeError(`${values.length} rounds cannot be held against ${others.length}`);
  return spreadOf(values.map((value, i) => value / (others[i] ?? Number.NaN)));
}
