import { BpfMap } from "bpf-maps-native";
import { ratioOf, type Spread, spreadOf } from "../spread.ts";

export interface MapRateScale {
  readonly entries: number;
  readonly rounds: number;
}

export interface MapRateFigures extends MapRateScale {
  readonly keyBytes: number;
  readonly valueBytes: number;
  /** Entries a second. */
  readonly single: Spread;
  readonly batch: Spread;
  /** Batch to single, round by round. */
  readonly ratio: Spread;
}

const noPreallocation = 1; // BPF_F_NO_PREALLOC, as the node's tables have it

/**
 * How fast a hash map shaped like the node's table of endpoints is written: all entries, one call each, and all in one
 * batch. Both are there already; the kernel makes a new element for each all the same.
 */
export async function measureMapRate(
  shape: { keySize: number; valueSize: number },
  scale: MapRateScale,
): Promise<MapRateFigures> {
  using map = BpfMap.create({
    type: "hash",
    name: "bench",
    ...shape,
    maxEntries: scale.entries,
    flags: noPreallocation,
  });
  const { keys, values } = content(shape, scale.entries);
  const single = perSecond(scale.entries, () => updateSingly(map, keys, values));
  const batch = perSecond(scale.entries, () => map.batchUpdate(keys, values));
  const found: { single: number; batch: number }[] = [];
  for (let round = 0; round <= scale.rounds; round++) {
    // In turns of order, so that neither always finds what the other left in the caches.
    const rates =
      round % 2 === 0
        ? { single: await single(), batch: await batch() }
        : { batch: await batch(), single: await single() };
    // The first round fills the map.
    if (round > 0) found.push(rates);
  }
  const [singles, batches] = [found.map((rates) => rates.single), found.map((rates) => rates.batch)];
  return {
    ...scale,
    keyBytes: shape.keySize,
    valueBytes: shape.valueSize,
    single: spreadOf(singles),
    batch: spreadOf(batches),
    ratio: ratioOf(batches, singles),
  };
}

/** Keys that differ, spread like the hashes that the tables' keys begin with. */
function content(
  { keySize, valueSize }: { keySize: number; valueSize: number },
  entries: number,
): { keys: Uint8Array; values: Uint8Array } {
  const keys = new Uint8Array(entries * keySize);
  const view = new DataView(keys.buffer);
  for (let i = 0; i < entries; i++) view.setUint32(i * keySize, Math.imul(i, 0x9e37_79b1));
  return { keys, values: new Uint8Array(entries * valueSize).fill(1) };
}

function updateSingly(map: BpfMap, keys: Uint8Array, values: Uint8Array): void {
  const { keySize, valueSize } = map.info;
  for (let i = 0; i * keySize < keys.length; i++) {
    map.update(
      keys.subarray(i * keySize, (i + 1) * keySize),
      values.subarray(i * valueSize, (i + 1) * valueSize),
    );
  }
}

function perSecond(entries: number, write: () => Promise<void> | void): () => Promise<number> {
  return async () => {
    const start = performance.now();
    await write();
    return (entries * 1000) / (performance.now() - start);
  };
}
