import { expect, test } from "vitest";
import { chartSvg } from "./chart.ts";
import { type Cell, cellRow, type Sample, sampleOf } from "./figures.ts";
import { type HttpFigures, reportText } from "./report.ts";

const sample = (cpu: number, perSecond = 1, p50 = 1): Sample => ({ cpu, perSecond, p50, p99: 2, p999: 3 });
const closed: Cell = { regime: "pinned", load: { mode: "closed", connections: 1, size: 128 } };

test("of what the generator tells, all is for one request, in microseconds", () => {
  const latency = { mean: 1_000, p50: 2_000, p99: 3_000, p999: 4_000, most: 5_000 };
  const result = { sent: 60, connections: 1, measured: 50, nanoseconds: 5e8, busyNanoseconds: 1e6, latency };
  expect(sampleOf(result)).toEqual({ perSecond: 100, cpu: 20, p50: 2, p99: 3, p999: 4 });
});

test("ratios are taken round by round, and show the least and the most of them", () => {
  const row = cellRow(
    "nginx",
    closed,
    [sample(40), sample(90), sample(44)],
    [sample(20), sample(30), sample(20)],
  );
  expect(row.cpu).toEqual({ median: 44, least: 40, most: 90 });
  expect(row.ratio).toEqual({ median: 2.2, least: 2, most: 3 });
  expect(() => cellRow("nginx", closed, [sample(1), sample(1)], [sample(1)])).toThrow(
    "round 2 has no baseline",
  );
});

test("where each has a CPU for itself, the ratio is of time: between answers, or of half of the latencies", () => {
  const free: Cell = { ...closed, regime: "free" };
  expect(cellRow("a", free, [sample(9, 50)], [sample(1, 100)]).ratio.median).toBe(2);
  const open: Cell = { regime: "free", load: { ...closed.load, mode: "open", rate: 10 } };
  expect(cellRow("a", open, [sample(9, 50, 30)], [sample(1, 100, 10)]).ratio.median).toBe(3);
});

const figures: HttpFigures = {
  rounds: 1,
  baseline: "no proxy",
  rows: [
    { name: "no proxy", what: "directly" },
    { name: "Keelson, <near>", what: "one node" },
    { name: "nginx", what: "a proxy", fault: "it is not installed" },
  ],
  cells: [
    {
      ...closed,
      rows: [
        cellRow("no proxy", closed, [sample(20)], [sample(20)]),
        cellRow("Keelson, <near>", closed, [sample(15)], [sample(20)]),
      ],
    },
  ],
  idle: [{ row: "no proxy", connections: 10_000, process: 0, slab: 5_000, taken: 6_000 }],
};

test("a row without figures is in the table, and says why", () => {
  const text = reportText(figures);
  expect(text).toMatch(/Keelson, <near> +15\.0 +0\.75× \(0\.75–0\.75\)/);
  expect(text).toMatch(/nginx +– +–\n/);
  expect(text).toContain("NOT MEASURED: it is not installed");
});

test("the picture has a bar for each row that was measured, as long as its time", () => {
  const svg = chartSvg(figures);
  expect(svg).toContain("Keelson, &lt;near&gt; 15.0 µs");
  const widths = [...svg.matchAll(/<rect class="(plain|own|other)"[^>]* width="([\d.]+)"/g)];
  expect(widths.map(([, kind]) => kind)).toEqual(["plain", "own"]);
  expect(Number(widths[1]?.[2]) / Number(widths[0]?.[2])).toBeCloseTo(0.75, 2);
});
