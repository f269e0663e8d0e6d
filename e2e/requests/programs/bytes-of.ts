/** Bytes that differ with the seed and with their place. */
export function bytesOf(seed: number, length: number): Buffer {
  // Four at once: making and checking them is most of the work of callers and servers.
  const words = new Int32Array(Math.ceil(length / Int32Array.BYTES_PER_ELEMENT));
  let state = (seed | 0) + 0x6d2b79f5;
  for (let at = 0; at < words.length; at++) {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x297a2d39) | 0;
    words[at] = state;
  }
  return Buffer.from(words.buffer, 0, length);
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
