import { missingForKernel } from "../../world/requirements.ts";
import type { Benchmark, BenchmarkOptions } from "../benchmark.ts";
import { chartSvg } from "./chart.ts";
import type { CellFigures, Regime } from "./figures.ts";
import { Ground } from "./ground.ts";
import type { Load } from "./http-load.ts";
import { Measuring } from "./measuring.ts";
import { type HttpFigures, reportText } from "./report.ts";
import { baseline, rows } from "./rows/index.ts";

/** How much is measured. */
interface Scale {
  readonly rounds: number;
  /** Before each measurement, at least, and for each of its connections: when it begins, their first requests are answered. */
  readonly warmMs: { readonly least: number; readonly each: number };
  /** Before all else, each row is used for so long with each size, and once more with the most connections. */
  readonly warmUpMs: number;
  /** By bytes of the body: how long each measurement takes. */
  readonly measureMs: ReadonlyMap<number, number>;
  readonly connections: readonly number[];
  /** Requests a second of the open loop. */
  readonly rates: readonly number[];
  readonly idleConnections: number;
}

const smallest = 128;
const largest = 1_048_576;

const full: Scale = {
  rounds: 5,
  warmMs: { least: 50, each: 6 },
  warmUpMs: 2_000,
  measureMs: new Map([
    [smallest, 500],
    [16_384, 300],
    [largest, 300],
  ]),
  connections: [1, 16, 128],
  rates: [2_000, 8_000],
  idleConnections: 10_000,
};

const quick: Scale = {
  rounds: 2,
  warmMs: { least: 10, each: 1 },
  warmUpMs: 200,
  measureMs: new Map([
    [smallest, 50],
    [largest, 50],
  ]),
  connections: [1, 16],
  rates: [8_000],
  idleConnections: 200,
};

/** Connections of the open loop and of those that open one for each request. */
const fewConnections = 16;
/** Requests on each connection of the open loop, at least. */
const askedOnEach = 200;

export const httpBenchmark: Benchmark = {
  name: "http",
  what: "what a request costs: no proxy, Keelson, nginx, HAProxy, Envoy; CPU time, latency, memory",
  missing: missingForKernel,
  async run(options) {
    const figures = await measure(options, options.quick ? quick : full);
    return { figures: { ...figures }, text: reportText(figures), picture: chartSvg(figures) };
  },
};

/** What is measured in each regime, and for how long. */
function loadsOf({ connections, measureMs, rates }: Scale, regime: Regime): [Load, number][] {
  // The first request of each connection is not one like the others: it may be one in a hundred at most.
  const enough = (count: number, size: number): number => {
    if (count < fewConnections || size >= largest) return 1;
    if (count <= 64) return size > smallest ? 2 : 1;
    return size > smallest ? 5 : 3;
  };
  const closed = [...measureMs].flatMap(([size, ms]) =>
    connections.map((count): [Load, number] => [
      { mode: "closed", connections: count, size },
      ms * enough(count, size),
    ]),
  );
  const ms = measureMs.get(smallest) ?? 0;
  const few = { connections: fewConnections, size: smallest };
  const openMs = (rate: number): number => Math.max(ms, (fewConnections * askedOnEach * 1_000) / rate);
  // On one CPU the caller would wait for the CPU, too, and not only for its answers.
  const open =
    regime === "pinned"
      ? []
      : rates.map((rate): [Load, number] => [{ mode: "open", rate, ...few }, openMs(rate)]);
  return [...closed, ...open, [{ mode: "connects", ...few }, ms]];
}

const warmMsOf = ({ connections }: Load, { warmMs: { least, each } }: Scale): number =>
  Math.max(least, connections * each);

async function measure({ world, progress }: BenchmarkOptions, scale: Scale): Promise<HttpFigures> {
  progress("two nodes, a caller and two servers");
  await using ground = await Ground.open(world);
  const measuring = await Measuring.start(ground, rows, baseline);
  progress("all rows are used for a while");
  for (const size of scale.measureMs.keys()) await measuring.warmUp(scale.warmUpMs, { size });
  await measuring.warmUp(scale.warmUpMs, { connections: Math.max(...scale.connections) });
  const cells: CellFigures[] = [];
  for (const regime of ["pinned", "free"] as const) {
    await measuring.enter(regime);
    for (const [load, measureMs] of loadsOf(scale, regime)) {
      progress(`${regime}: ${loadText(load)}`);
      cells.push(
        await measuring.measure({ regime, load }, scale.rounds, { warmMs: warmMsOf(load, scale), measureMs }),
      );
    }
  }
  progress(`${scale.idleConnections} connections that wait`);
  const idle = await measuring.idle(scale.idleConnections);
  return {
    rounds: scale.rounds,
    baseline: baseline.name,
    rows: rows.map(({ name, what }) => {
      const fault = measuring.faults.get(name);
      return { name, what, ...(fault === undefined ? {} : { fault }) };
    }),
    cells,
    idle,
  };
}

function loadText({ mode, connections, size, rate }: Load): string {
  const how = { closed: "closed loop", open: `${rate} requests a second`, connects: "new connections" }[mode];
  return `${how}, ${connections} at once, ${size} bytes`;
}
