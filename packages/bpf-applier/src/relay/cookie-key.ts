/** A cookie as the key of a map. */
export const cookieKey = (cookie: bigint): Uint8Array => new Uint8Array(new BigUint64Array([cookie]).buffer);

/** What `cookieKey` made it of. */
export const cookieOf = (key: Uint8Array): bigint =>
  new DataView(key.buffer, key.byteOffset).getBigUint64(0, true);
