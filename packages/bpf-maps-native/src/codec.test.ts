import fc from "fast-check";
import { expect, test } from "vitest";
import { type CValue, codecOf } from "./codec.ts";
import type { Layout, StructMember } from "./layout.ts";
import { kernelTest } from "./testing/kernel-test.ts";
import { collect, loadProgram } from "./testing/programs.ts";
import { typedMap } from "./typed-map.ts";

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

const address = (port: number) => ({ ip: 0x0100007f, port, mac: Uint8Array.of(1, 2, 3, 4, 5, 6) });

kernelTest(
  "operation: typed map - structs go in and come out by the object's and the kernel's BTF",
  async () => {
    using object = await loadProgram("basic");
    using map = object.map("services");
    const service = { backends: [address(1), address(2)], weight: -5n, packets: 2n ** 63n, enabled: true };
    const typedServices = typedMap(map, object);
    typedServices.set(address(80), service, "create");
    await typedServices.setMany([
      [address(81), { ...service, weight: 1n }],
      [address(82), { ...service, enabled: false }],
    ]);
    expect(typedServices.get(address(80))).toEqual(service);
    expect(typedServices.get(address(9))).toBeUndefined();
    // The C compiler's view: port right after ip, weight after two addresses of 12 bytes.
    const raw = map.lookup(
      map.info.keySize === 12 ? Uint8Array.of(127, 0, 0, 1, 80, 0, 1, 2, 3, 4, 5, 6) : new Uint8Array(),
    );
    expect(raw?.subarray(24, 32)).toEqual(Uint8Array.of(0xfb, 255, 255, 255, 255, 255, 255, 255));
    const byKernel = typedMap(map);
    const all = await collect(byKernel.entries());
    expect(all).toHaveLength(3);
    expect(all).toContainEqual([address(82), { ...service, enabled: false }]);
    expect([byKernel.delete(address(82)), byKernel.delete(address(82))]).toEqual([true, false]);
    expect(codecOf(object.structLayout("request")).decode(new Uint8Array(8))).toEqual({
      records: 0,
      first: 0,
    });
  },
);

kernelTest("a typed per-CPU map has a value per CPU", async () => {
  using object = await loadProgram("basic");
  using map = object.map("counters");
  const counters = typedMap<number, number>(map, object);
  const values = (counters.getPerCpu(1) ?? []).map((_, cpu) => cpu + 1);
  counters.setPerCpu(1, values);
  expect(values.length).toBeGreaterThan(0);
  expect(counters.getPerCpu(1)).toEqual(values);
});
