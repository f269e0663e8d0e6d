import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { release, version } from "node:os";
import { join } from "node:path";
import type { Observed } from "./behaviour.ts";

/** What one kernel was seen to do. */
export interface KernelRecord {
  /** As uname tells it: "6.1.0-42-cloud-amd64". */
  readonly release: string;
  /** "#1 SMP PREEMPT_DYNAMIC Debian 6.1.176-1 (2026-01-01)" */
  readonly version: string;
  /** By the behaviour's name. */
  readonly behaviours: Readonly<Record<string, Observed>>;
}

const folder = join(import.meta.dirname, "recorded");

/** "6.1" of "6.1.0-42-cloud-amd64" */
export function seriesOf(kernel: string): string {
  const found = /^\d+\.\d+/.exec(kernel)?.[0];
  if (found === undefined)
    throw new Error(`kernel ${kernel}: expected a release that begins with two numbers`);
  return found;
}

/** All records by series, in order of age. */
export async function readRecords(): Promise<Map<string, KernelRecord>> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".json"));
  const records = names.map(async (name): Promise<[string, KernelRecord]> => {
    const record: KernelRecord = JSON.parse(await readFile(join(folder, name), "utf8"));
    return [name.slice(0, -".json".length), record];
  });
  const age = (series: string): number =>
    series.split(".").reduce((sum, part) => sum * 1000 + Number(part), 0);
  return new Map((await Promise.all(records)).toSorted(([a], [b]) => age(a) - age(b)));
}

/** What this kernel was seen to do, as a record. */
export function recordHere(behaviours: Readonly<Record<string, Observed>>): KernelRecord {
  return { release: release(), version: version(), behaviours };
}

/** Writes a record, or the behaviours of it that were looked at, in place of what there was of its series. */
export async function writeRecord(record: KernelRecord): Promise<void> {
  const series = seriesOf(record.release);
  const before = (await readRecords()).get(series);
  const kept = before?.release === record.release ? before.behaviours : {};
  const whole = { ...record, behaviours: { ...kept, ...record.behaviours } };
  await writeFile(join(folder, `${series}.json`), `${JSON.stringify(whole, null, 2)}\n`);
}

/**
 * Compares what was seen on this kernel with the records. A kernel that is recorded, to the very release, must do what it
 * did then. Another one must do, in everything, what some recorded kernel does.
 * @throws AssertionError that names what is new
 */
export function compareWithRecords(
  name: string,
  observed: Observed,
  records: ReadonlyMap<string, KernelRecord>,
  kernel: string = release(),
): void {
  const own = records.get(seriesOf(kernel));
  const known = [...records.values()]
    .map((record) => record.behaviours[name])
    .filter((one) => one !== undefined);
  assert.ok(known.length > 0, `nothing is recorded of "${name}": record it with --record`);
  if (own?.release === kernel) {
    assert.deepEqual(observed, own.behaviours[name], `"${name}" is not what is recorded of ${kernel}`);
    return;
  }
  for (const [key, value] of Object.entries(observed)) {
    const values = known.map((one) => one[key]);
    assert.ok(
      values.includes(value),
      `${name}: ${key}: ${value}, where recorded kernels have ${values.join(", ")}`,
    );
  }
}
