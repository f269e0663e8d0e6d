import { endianness } from "node:os";

const littleEndian = endianness() === "LE";

/** The bytes of a variable of `size` bytes. Throws a RangeError when the value does not fit. */
export function readOnlyBytes(
  variable: string,
  size: number,
  value: number | bigint | boolean | Uint8Array,
): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (size !== 1 && size !== 2 && size !== 4 && size !== 8) {
    throw new RangeError(`variable ${variable} has ${String(size)} bytes: give its value as Uint8Array`);
  }
  const whole = BigInt(value);
  const bits = BigInt(size * 8);
  if (whole < -(1n << (bits - 1n)) || whole >= 1n << bits) {
    throw new RangeError(`variable ${variable} has ${String(size)} bytes, too few for ${String(value)}`);
  }
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, whole), littleEndian);
  return littleEndian ? bytes.subarray(0, size) : bytes.subarray(8 - size);
}
