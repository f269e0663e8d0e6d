/** A cookie as the key of a map. */
export const cookieKey = (cookie: bigint): Uint8Array => new Uint8Array(new BigUint64Array([cookie]).buffer);
