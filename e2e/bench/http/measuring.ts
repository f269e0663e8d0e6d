import { allowedCpus, cpuNumbers, runOn } from "./affinity.ts";
import { type Cell, type CellFigures, cellRow, type Regime, type Sample, sampleOf } from "./figures.ts";
import type { Ground } from "./ground.ts";
import type { Load, LoadTimes } from "./http-load.ts";
import { type Memory, memoryOf, shrinkSlabs } from "./memory.ts";
import type { Carried, Row, Way } from "./rows/row.ts";

/** A row that is measured, until something is wrong with it. */
interface Running {
  readonly row: Row;
  readonly way: Way;
}

/** What each connection without a request takes, in bytes; see Memory. */
export interface IdleFigures extends Memory {
  readonly row: string;
  readonly connections: number;
}

/** All rows on one ground. A row of which anything is wrong is not measured again, and says why. */
export class Measuring {
  /** By name of the row: why it has no figures. */
  readonly faults = new Map<string, string>();
  private readonly ground: Ground;
  private readonly baseline: string;
  private readonly allCpus: string;
  private readonly pinnedCpu: number;
  private running: readonly Running[] = [];

  private constructor(ground: Ground, baseline: string, allCpus: string) {
    this.ground = ground;
    this.baseline = baseline;
    this.allCpus = allCpus;
    // The first one serves more interrupts than the last.
    this.pinnedCpu = cpuNumbers(allCpus).at(-1) ?? 0;
  }

  /** @param baseline name of the row that the others are held against */
  static async start(ground: Ground, rows: readonly Row[], baseline: Row): Promise<Measuring> {
    const measuring = new Measuring(ground, baseline.name, await allowedCpus());
    const running: Running[] = [];
    for (const row of rows) {
      const missing = await row.missing?.();
      if (missing === undefined) running.push({ row, way: await row.start(ground) });
      else measuring.faults.set(row.name, missing);
    }
    measuring.running = running;
    return measuring;
  }

  /** Ends what can be ended before the ground. */
  async close(): Promise<void> {
    for (const { way } of this.running) await way.stop?.();
  }

  /** Everything on one CPU, and this process on the others; or everything everywhere. */
  async enter(regime: Regime): Promise<void> {
    const others = cpuNumbers(this.allCpus).filter((cpu) => cpu !== this.pinnedCpu);
    const pinned = regime === "pinned";
    await runOn(pinned ? String(this.pinnedCpu) : this.allCpus, await this.ground.processes());
    await runOn(pinned && others.length > 0 ? others.join(",") : this.allCpus, [process.pid]);
  }

  /** Measures all rows in one cell, `rounds` times, beside each other: what the machine does meanwhile hits all alike. */
  async measure(cell: Cell, rounds: number, times: Omit<LoadTimes, "cpu">): Promise<CellFigures> {
    return this.measureAs(cell, rounds, times, true);
  }

  private async measureAs(
    cell: Cell,
    rounds: number,
    times: Omit<LoadTimes, "cpu">,
    counts: boolean,
  ): Promise<CellFigures> {
    const samples = new Map<string, Sample[]>();
    for (let round = 0; round < rounds; round++) {
      for (const one of this.inTurn(round)) {
        if (one.way.fits?.(cell.load) === false) continue;
        const sample = await this.guarded(one, () => this.sample(one, cell, times, counts));
        if (sample === undefined) samples.delete(one.row.name);
        else samples.set(one.row.name, [...(samples.get(one.row.name) ?? []), sample]);
      }
    }
    const baseline = samples.get(this.baseline) ?? [];
    const rows = [...samples].map(([row, found]) => cellRow(row, cell, found, baseline));
    const order = (name: string): number => this.running.findIndex(({ row }) => row.name === name);
    return { ...cell, rows: rows.toSorted((a, b) => order(a.row) - order(b.row)) };
  }

  /** Uses all rows for a while: compilers and allocators that learn have done so before anything is measured. */
  async warmUp(ms: number, some: Partial<Pick<Load, "connections" | "size" | "heads">> = {}): Promise<void> {
    const load = { mode: "closed", connections: 16, size: 128, ...some } as const;
    // What counts on the way may learn, too: which links are needed, for one.
    await this.measureAs({ regime: "free", load }, 1, { warmMs: 0, measureMs: ms }, false);
  }

  /** What connections take that have had one answer and wait. */
  async idle(connections: number): Promise<IdleFigures[]> {
    const figures: IdleFigures[] = [];
    for (const one of this.inTurn(0)) {
      const found = await this.guarded(one, () => this.idleOf(one, connections));
      if (found !== undefined) figures.push(found);
    }
    return figures;
  }

  /** Every second round goes backwards, so that none always follows the same one. */
  private inTurn(round: number): Running[] {
    const left = this.running.filter(({ row }) => !this.faults.has(row.name));
    return round % 2 === 0 ? left : left.toReversed();
  }

  /** @returns undefined if it failed, which is the row's end. @throws Error if it is the baseline that failed. */
  private async guarded<T>({ row }: Running, take: () => Promise<T>): Promise<T | undefined> {
    try {
      return await take();
    } catch (error) {
      if (row.name === this.baseline) throw error;
      this.faults.set(row.name, error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }

  private async sample(
    { way }: Running,
    cell: Cell,
    times: Omit<LoadTimes, "cpu">,
    counts: boolean,
  ): Promise<Sample> {
    const cpu = cell.regime === "pinned" ? { cpu: this.pinnedCpu } : {};
    const load = { ...cell.load, ...headsOf(way) };
    const result = await this.counted(counts ? way.carried : undefined, () =>
      way.load.send(way.target, load, { ...times, ...cpu }),
    );
    return sampleOf(result);
  }

  /** @throws Error unless the servers, and what counts on the way, saw what was sent. */
  private async counted<T extends { readonly sent: number; readonly connections: number }>(
    carried: Carried | undefined,
    send: () => Promise<T>,
  ): Promise<T> {
    const before = { served: await this.ground.served(), carried: await carried?.count() };
    const result = await send();
    const served = (await this.ground.served()) - before.served;
    if (served !== result.sent)
      throw new Error(`of ${result.sent} requests the servers answered ${served}: the figures do not count`);
    if (carried !== undefined && before.carried !== undefined) {
      const wanted = carried.what === "requests" ? result.sent : result.connections;
      const count = (await carried.count()) - before.carried;
      if (count < wanted * carried.share || count > wanted)
        throw new Error(`of ${wanted} ${carried.what} it counted ${count}: the figures do not count`);
    }
    return result;
  }

  private async idleOf({ row, way }: Running, connections: number): Promise<IdleFigures> {
    const processes = (await way.processes?.()) ?? [];
    await shrinkSlabs();
    const before = await memoryOf(processes);
    let release: (() => Promise<void>) | undefined;
    // A connection's first request alone is not what such a row is for.
    const carried = way.fits === undefined ? way.carried : undefined;
    await this.counted(carried, async () => {
      const held = await way.load.hold(way.target, { connections, size: 1, ...headsOf(way) });
      release = held.release;
      return held.result;
    });
    const during = await memoryOf(processes);
    await release?.();
    const each = (part: keyof Memory): number => (during[part] - before[part]) / connections;
    return { row: row.name, connections, process: each("process"), slab: each("slab"), taken: each("taken") };
  }
}

const headsOf = ({ heads }: Way): Pick<Load, "heads"> => (heads === undefined ? {} : { heads });
