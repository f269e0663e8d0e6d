import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type CValue, codecOf } from "./codec.ts";
import type { Layout, StructMember } from "./layout.ts";

interface Typed {
  layout: Layout;
  value: fc.Arbitrary<CValue>;
}

function int(size: number, signed: boolean): Typed {
  const bits = BigInt(size * 8);
  const low = signed ? -(1n << (bits - 1n)) : 0n;
  const high = low + (1n << bits) - 1n;
  const value = fc
    .bigInt({ min: low, max: high })
    .map((whole): CValue => (size === 8 ? whole : Number(whole)));
  return { layout: { kind: "int", name: `i${String(size)}`, size, signed }, value };
}

function struct(members: Typed[], gaps: number[]): Typed {
  let size = 0;
  const laidOut: StructMember[] = members.map(({ layout }, i) => {
    size += gaps[i % gaps.length] ?? 0;
    const member = { name: `m${String(i)}`, bitOffset: size * 8, bitSize: 0, layout };
    size += layout.size;
    return member;
  });
  const values = fc.record(
    Object.fromEntries(members.map(({ value }, i) => [`m${String(i)}`, value])),
  ) as fc.Arbitrary<CValue>;
  return { layout: { kind: "struct", name: "s", size, members: laidOut }, value: values };
}

function array(element: Typed, length: number): Typed {
  const size = element.layout.size * length;
  const value = fc.array(element.value, { minLength: length, maxLength: length }) as fc.Arbitrary<CValue>;
  return { layout: { kind: "array", name: "", size, length, element: element.layout }, value };
}

function bytes(length: number): Typed {
  const element: Layout = { kind: "int", name: "u8", size: 1, signed: false };
  const value = fc.uint8Array({ minLength: length, maxLength: length }) as fc.Arbitrary<CValue>;
  return { layout: { kind: "array", name: "", size: length, length, element }, value };
}

const leaf: fc.Arbitrary<Typed> = fc.oneof(
  fc.tuple(fc.constantFrom(1, 2, 4, 8), fc.boolean()).map(([size, signed]) => int(size, signed)),
  fc.constant<Typed>({ layout: { kind: "bool", name: "b", size: 1, signed: false }, value: fc.boolean() }),
  fc.integer({ min: 1, max: 9 }).map(bytes),
);

const { typed } = fc.letrec<{ typed: Typed }>((tie) => ({
  typed: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc
      .tuple(fc.array(tie("typed"), { minLength: 1, maxLength: 4 }), fc.array(fc.nat(3), { minLength: 1 }))
      .map(([members, gaps]) => struct(members, gaps)),
    fc
      .tuple(tie("typed"), fc.integer({ min: 1, max: 3 }))
      .filter(([element]) => element.layout.kind !== "int" || element.layout.size > 1)
      .map(([element, length]) => array(element, length)),
  ),
}));

test("what is encoded is decoded again, at the layout's size and any place in a buffer", () => {
  const typedValue = typed.chain(({ layout, value }) => fc.tuple(fc.constant(layout), value, fc.nat(7)));
  fc.assert(
    fc.property(typedValue, ([layout, value, shift]) => {
      const codec = codecOf(layout);
      const encoded = codec.encode(value);
      const shifted = new Uint8Array(shift + encoded.length + 3).fill(0xff);
      shifted.set(encoded, shift);
      expect(encoded.byteLength).toBe(layout.size);
      expect(codec.decode(shifted.subarray(shift, shift + encoded.length))).toEqual(value);
    }),
  );
});

test("values that do not fit are refused with their path", () => {
  const layout = struct([array(int(2, true), 2), int(8, false)], [0]).layout;
  const codec = codecOf(layout);
  expect(() => codec.encode({ m0: [1, 32768], m1: 1n })).toThrow(
    "s.m0[1] must be a whole number from -32768 to 32767, found 32768",
  );
  expect(() => codec.encode({ m0: [1, 2], m1: 1 })).toThrow("s.m1 must be a bigint from 0 to");
  expect(() => codec.encode({ m0: [1], m1: 1n })).toThrow("s.m0 must be an array of 2, found an array of 1");
  expect(() => codec.encode({ m0: [1, 2] })).toThrow("s.m1 must be given");
  expect(() => codec.encode({ m0: [1, 2], m1: 1n, m2: 1 })).toThrow("s has no member m2");
  expect(() => codec.decode(new Uint8Array(3))).toThrow(RangeError);
  const bit: Layout = {
    kind: "struct",
    name: "f",
    size: 4,
    members: [{ name: "a", bitOffset: 0, bitSize: 3, layout: int(4, false).layout }],
  };
  expect(() => codecOf(bit)).toThrow("bit-field a");
});
