/** Bytes copied on the loop at a time: about a tenth of a millisecond. */
const chunkBytes = 1 << 20;

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
): Generator<[keys: Uint8Array, values: Uint8Array]> {
  const count = keys.byteLength / keySize;
  if (!Number.isInteger(count) || values.byteLength !== count * valueBytes) {
    throw new RangeError(
      `batch for map ${info.name}: ${String(keys.byteLength)} bytes of keys of ${String(keySize)} and ` +
        `${String(values.byteLength)} bytes of values of ${String(valueBytes)} are not whole elements`,
    );
  }
  const step = Math.max(1, Math.floor(chunkBytes / (keySize + valueBytes)));
  for (let first = 0; first < count; first += step) {
    const end = Math.min(count, first + step);
    yield [
      keys.subarray(first * keySize, end * keySize),
      values.subarray(first * valueBytes, end * valueBytes),
    ];
  }
}

/** One array from many; the only one itself when there is one. */
export function joinBytes(parts: Uint8Array[]): Uint8Array {
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : Uint8Array.from(Buffer.concat(parts));
}
