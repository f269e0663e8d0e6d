/** Bytes copied on the loop at a time: about a tenth of a millisecond. */
const chunkBytes = 1 << 20;

/** A part of a batch; `first` is the place of its first element among `total`. */
export interface Chunk {
  first: number;
  total: number;
  keys: Uint8Array;
  values: Uint8Array;
}

/** How many elements of this size are read at a time: at most 4,096 and 4 MiB, at least one. */
export function walkPiece(elementBytes: number): number {
  return Math.max(1, Math.min(4096, Math.floor((4 << 20) / elementBytes)));
}

/**
 * Pieces of a batch: views of whole elements, each small enough to be copied on the loop. Throws a RangeError
 * when keys and values do not hold the same number of whole elements.
 */
export function* batchChunks(
  info: { name: string },
  keys: Uint8Array,
  keySize: number,
  values: Uint8Array = new Uint8Array(),
  valueBytes = 0,
): Generator<Chunk> {
  const total = keys.byteLength / keySize;
  if (!Number.isInteger(total) || values.byteLength !== total * valueBytes) {
    throw new RangeError(
      `batch for map ${info.name}: ${String(keys.byteLength)} bytes of keys of ${String(keySize)} and ` +
        `${String(values.byteLength)} bytes of values of ${String(valueBytes)} are not whole elements`,
    );
  }
  const step = Math.max(1, Math.floor(chunkBytes / (keySize + valueBytes)));
  for (let first = 0; first < total; first += step) {
    const end = Math.min(total, first + step);
    yield {
      first,
      total,
      keys: keys.subarray(first * keySize, end * keySize),
      values: values.subarray(first * valueBytes, end * valueBytes),
    };
  }
}

/** Equally long arrays in a row. */
export function joinBytes(parts: Uint8Array[]): Uint8Array {
  const size = parts[0]?.byteLength ?? 0;
  const joined = new Uint8Array(size * parts.length);
  for (const [i, part] of parts.entries()) joined.set(part, i * size);
  return joined;
}
