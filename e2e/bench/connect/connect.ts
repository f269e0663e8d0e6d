import { missingForKernel } from "../../world/requirements.ts";
import { World } from "../../world/world.ts";
import type { Benchmark, BenchmarkOptions } from "../benchmark.ts";
import { type LatencyScale, measureLatency } from "./latency.ts";
import { LiveTables } from "./live-tables.ts";
import { type MapRateScale, measureMapRate } from "./map-rate.ts";
import { type ConnectFigures, reportText } from "./report.ts";
import { type BringUp, bringUp, measureUpdates, type UpdateTime } from "./update-time.ts";

/** How much is measured. */
interface Scale {
  /** Sizes of the configuration, each with a world of its own; connections are timed in the last one. */
  readonly services: readonly number[];
  /** Of each kind and at each size. */
  readonly changes: number;
  readonly latency: LatencyScale;
  readonly mapRate: MapRateScale;
}

const full: Scale = {
  services: [1, 100, 5_000],
  changes: 200,
  latency: { rounds: 100, connectsPerRound: 200 },
  mapRate: { entries: 10_000, rounds: 50 },
};

const quick: Scale = {
  services: [1, 100],
  changes: 10,
  latency: { rounds: 5, connectsPerRound: 50 },
  mapRate: { entries: 1_000, rounds: 5 },
};

export const connectBenchmark: Benchmark = {
  name: "connect",
  what: "the connect tier: what connections cost, how fast maps are written, how soon a change is live",
  missing: missingForKernel,
  async run(options) {
    const figures = await measure(options, options.quick ? quick : full);
    return { figures: { ...figures }, text: reportText(figures) };
  },
};

async function measure({ world: name, progress }: BenchmarkOptions, scale: Scale): Promise<ConnectFigures> {
  const bringUps: BringUp[] = [];
  const updates: UpdateTime[] = [];
  const last = scale.services.at(-1);
  let rest: Pick<ConnectFigures, "latency" | "mapRate"> | undefined;
  for (const services of scale.services) {
    await using world = await World.open(name);
    progress(`${services} services: files, control plane and node`);
    bringUps.push(await bringUp(world, services));
    using tables = await LiveTables.open(world.applier().node);
    for (const change of ["rule", "endpoints"] as const) {
      progress(`${services} services: ${scale.changes} changes (${change})`);
      updates.push(await measureUpdates(world, tables, change, scale.changes));
    }
    if (services !== last) continue;
    progress("maps, written singly and in batches");
    const mapRate = await measureMapRate(tables.slotShape(), scale.mapRate);
    progress("connections, with and without");
    rest = { mapRate, latency: await measureLatency(world, scale.latency) };
  }
  if (rest === undefined) throw new RangeError("no size to measure at");
  return { ...rest, updates, bringUps };
}
