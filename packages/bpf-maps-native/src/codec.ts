import { endianness } from "node:os";
import type { ArrayLayout, IntLayout, Layout, StructLayout, StructMember } from "./layout.ts";

/**
 * A C value in JavaScript: integers up to 4 bytes are numbers, those of 8 bigints, `bool` is boolean, arrays of
 * bytes and whatever has no form of its own (unions, pointers) are Uint8Arrays, other arrays are arrays, structs
 * are objects by member name. No byte order is changed: a big-endian field comes as the machine reads it.
 */
export type CValue = number | bigint | boolean | Uint8Array | CValue[] | { [member: string]: CValue };

/** Between bytes of exactly `size` and JavaScript values. */
export interface Codec {
  readonly size: number;
  encode(value: CValue): Uint8Array;
  decode(bytes: Uint8Array): CValue;
}

interface Part {
  size: number;
  write(view: DataView, at: number, value: CValue, path: string): void;
  read(view: DataView, at: number): CValue;
}

const littleEndian = endianness() === "LE";
const intSizes = new Set([1, 2, 4, 8]);

/** The codec of a layout. Throws a TypeError for bit-fields. */
export function codecOf(layout: Layout): Codec {
  const part = partOf(layout);
  return {
    size: part.size,
    encode(value) {
      const bytes = new Uint8Array(part.size);
      part.write(new DataView(bytes.buffer), 0, value, layout.name || "value");
      return bytes;
    },
    decode(bytes) {
      if (bytes.byteLength !== part.size) {
        throw new RangeError(
          `${layout.name || "value"} has ${String(part.size)} bytes, found ${String(bytes.byteLength)}`,
        );
      }
      return part.read(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0);
    },
  };
}

function partOf(layout: Layout): Part {
  switch (layout.kind) {
    case "bool":
      return boolPart(layout.size);
    case "int":
      return intSizes.has(layout.size) ? intPart(layout) : bytesPart(layout.size);
    case "struct":
      return structPart(layout);
    case "array":
      return layout.element.kind === "int" && layout.element.size === 1
        ? bytesPart(layout.size)
        : arrayPart(layout);
    default:
      return bytesPart(layout.size);
  }
}

function wrongType(path: string, wanted: string, value: CValue | undefined): TypeError {
  return new TypeError(`${path} must be ${wanted}, found ${describe(value)}`);
}

function describe(value: CValue | undefined): string {
  if (value instanceof Uint8Array) return `${String(value.byteLength)} bytes`;
  if (Array.isArray(value)) return `an array of ${String(value.length)}`;
  return typeof value === "object" ? "an object" : `${typeof value} ${String(value)}`;
}

function intPart({ size, signed }: IntLayout): Part {
  const bits = BigInt(size * 8);
  const low = signed ? -(1n << (bits - 1n)) : 0n;
  const high = (signed ? 1n << (bits - 1n) : 1n << bits) - 1n;
  const wanted = `${size === 8 ? "a bigint" : "a whole number"} from ${String(low)} to ${String(high)}`;
  return {
    size,
    write(view, at, value, path) {
      const fits = size === 8 ? typeof value === "bigint" : Number.isInteger(value);
      if (!fits || (typeof value !== "bigint" && typeof value !== "number"))
        throw wrongType(path, wanted, value);
      const whole = BigInt(value);
      if (whole < low || whole > high)
        throw new RangeError(`${path} must be ${wanted}, found ${String(value)}`);
      writeInt(view, at, size, whole);
    },
    read: (view, at) => readInt(view, at, size, signed),
  };
}

function writeInt(view: DataView, at: number, size: number, value: bigint): void {
  const raw = BigInt.asUintN(size * 8, value);
  if (size === 8) view.setBigUint64(at, raw, littleEndian);
  else if (size === 4) view.setUint32(at, Number(raw), littleEndian);
  else if (size === 2) view.setUint16(at, Number(raw), littleEndian);
  else view.setUint8(at, Number(raw));
}

function readInt(view: DataView, at: number, size: number, signed: boolean): number | bigint {
  if (size === 8) return signed ? view.getBigInt64(at, littleEndian) : view.getBigUint64(at, littleEndian);
  if (size === 4) return signed ? view.getInt32(at, littleEndian) : view.getUint32(at, littleEndian);
  if (size === 2) return signed ? view.getInt16(at, littleEndian) : view.getUint16(at, littleEndian);
  return signed ? view.getInt8(at) : view.getUint8(at);
}

function boolPart(size: number): Part {
  return {
    size,
    write(view, at, value, path) {
      if (typeof value !== "boolean") throw wrongType(path, "a boolean", value);
      writeInt(view, at, size, value ? 1n : 0n);
    },
    read: (view, at) => BigInt(readInt(view, at, size, false)) !== 0n,
  };
}

function bytesPart(size: number): Part {
  return {
    size,
    write(view, at, value, path) {
      if (!(value instanceof Uint8Array) || value.byteLength !== size) {
        throw wrongType(path, `a Uint8Array of ${String(size)} bytes`, value);
      }
      new Uint8Array(view.buffer, view.byteOffset + at, size).set(value);
    },
    read: (view, at) => new Uint8Array(view.buffer.slice(view.byteOffset + at, view.byteOffset + at + size)),
  };
}

function arrayPart(layout: ArrayLayout): Part {
  const element = partOf(layout.element);
  return {
    size: layout.size,
    write(view, at, value, path) {
      if (!Array.isArray(value) || value.length !== layout.length) {
        throw wrongType(path, `an array of ${String(layout.length)}`, value);
      }
      for (const [i, item] of value.entries())
        element.write(view, at + i * element.size, item, `${path}[${String(i)}]`);
    },
    read: (view, at) =>
      Array.from({ length: layout.length }, (_, i) => element.read(view, at + i * element.size)),
  };
}

function structPart(layout: StructLayout): Part {
  const members = layout.members.map((member) => memberPart(layout, member));
  const names = new Set(members.map(({ name }) => name));
  return {
    size: layout.size,
    write(view, at, value, path) {
      if (typeof value !== "object" || value instanceof Uint8Array || Array.isArray(value)) {
        throw wrongType(path, "an object", value);
      }
      const unknown = Object.keys(value).find((name) => !names.has(name));
      if (unknown !== undefined) {
        throw new TypeError(`${path} has no member ${unknown}, there are: ${[...names].join(", ")}`);
      }
      for (const { name, offset, part } of members) {
        const item = value[name];
        if (item === undefined) throw wrongType(`${path}.${name}`, "given", item);
        part.write(view, at + offset, item, `${path}.${name}`);
      }
    },
    read: (view, at) =>
      Object.fromEntries(members.map(({ name, offset, part }) => [name, part.read(view, at + offset)])),
  };
}

function memberPart(
  layout: StructLayout,
  member: StructMember,
): { name: string; offset: number; part: Part } {
  if (member.bitSize !== 0 || member.bitOffset % 8 !== 0) {
    throw new TypeError(`struct ${layout.name} has a bit-field ${member.name}: bit-fields are not supported`);
  }
  return { name: member.name, offset: member.bitOffset / 8, part: partOf(member.layout) };
}
