// Numbers of https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md, section "XXH64".
const prime1 = 0x9e3779b185ebca87n;
const prime2 = 0xc2b2ae3d27d4eb4fn;
const prime3 = 0x165667b19e3779f9n;
const prime4 = 0x85ebca77c2b2ae63n;
const prime5 = 0x27d4eb2f165667c5n;

const wrap = (value: bigint): bigint => BigInt.asUintN(64, value);
const rotated = (value: bigint, bits: bigint): bigint => wrap((value << bits) | (value >> (64n - bits)));
const round = (lane: bigint, input: bigint): bigint =>
  wrap(rotated(wrap(lane + input * prime2), 31n) * prime1);
const merged = (hash: bigint, lane: bigint): bigint => wrap((hash ^ round(0n, lane)) * prime1 + prime4);

const stripeBytes = 32;

/**
 * XXH64 of a text's UTF-8, by which Envoy hashes: relays and Envoys send requests of one key to the same endpoint.
 * @param seed 0 to 2^64-1
 */
export function xxhash64(text: string, seed = 0n): bigint {
  const bytes = Buffer.from(text);
  let at = 0;
  let hash = wrap(seed + prime5);
  if (bytes.length >= stripeBytes) {
    at = bytes.length - (bytes.length % stripeBytes);
    hash = ofStripes(bytes, at, seed);
  }
  return avalanche(ofRest(bytes, at, wrap(hash + BigInt(bytes.length))));
}

function ofStripes(bytes: Buffer, end: number, seed: bigint): bigint {
  let a = wrap(seed + prime1 + prime2);
  let b = wrap(seed + prime2);
  let c = seed;
  let d = wrap(seed - prime1);
  for (let at = 0; at < end; at += stripeBytes) {
    a = round(a, bytes.readBigUInt64LE(at));
    b = round(b, bytes.readBigUInt64LE(at + 8));
    c = round(c, bytes.readBigUInt64LE(at + 16));
    d = round(d, bytes.readBigUInt64LE(at + 24));
  }
  const sum = wrap(rotated(a, 1n) + rotated(b, 7n) + rotated(c, 12n) + rotated(d, 18n));
  return [a, b, c, d].reduce(merged, sum);
}

function ofRest(bytes: Buffer, start: number, sum: bigint): bigint {
  let hash = sum;
  let at = start;
  for (; at + 8 <= bytes.length; at += 8) {
    hash = wrap(rotated(hash ^ round(0n, bytes.readBigUInt64LE(at)), 27n) * prime1 + prime4);
  }
  if (at + 4 <= bytes.length) {
    const word = wrap(BigInt(bytes.readUInt32LE(at)) * prime1);
    hash = wrap(rotated(hash ^ word, 23n) * prime2 + prime3);
    at += 4;
  }
  for (; at < bytes.length; at++) {
    hash = wrap(rotated(hash ^ wrap(BigInt(bytes.readUInt8(at)) * prime5), 11n) * prime1);
  }
  return hash;
}

function avalanche(sum: bigint): bigint {
  let hash = wrap((sum ^ (sum >> 33n)) * prime2);
  hash = wrap((hash ^ (hash >> 29n)) * prime3);
  return hash ^ (hash >> 32n);
}
