import { expect } from "vitest";
import { BpfMap } from "./bpf-map.ts";
import { codecOf } from "./codec.ts";
import { kernelTest } from "./testing/kernel-test.ts";
import { collect, loadProgram, u32 } from "./testing/programs.ts";
import { TypedMap, typedMap } from "./typed-map.ts";

const address = (port: number) => ({ ip: 0x0100007f, port, mac: Uint8Array.of(1, 2, 3, 4, 5, 6) });
const addressBytes = (port: number) => Uint8Array.of(127, 0, 0, 1, port, 0, 1, 2, 3, 4, 5, 6);
const service = { backends: [address(1), address(2)], weight: -5n, packets: 2n ** 63n, enabled: true };

kernelTest(
  "operation: typed get and set (typedMap, TypedMap.get, TypedMap.set) - " +
    "structs by the object's BTF lie in the map as the C compiler lays them out",
  async () => {
    using object = await loadProgram("basic");
    using map = object.map("services");
    const services = typedMap(map, object);
    services.set(address(80), service, "create");
    expect(services.get(address(80))).toEqual(service);
    expect(services.get(address(9))).toBeUndefined();
    const raw = map.lookup(addressBytes(80));
    expect(raw?.subarray(0, 24)).toEqual(Uint8Array.of(...addressBytes(1), ...addressBytes(2)));
    expect(raw?.subarray(24)).toEqual(
      Uint8Array.of(
        0xfb,
        ...Array<number>(7).fill(0xff),
        ...Array<number>(7).fill(0),
        0x80,
        1,
        ...Array<number>(7).fill(0),
      ),
    );
  },
);

kernelTest(
  "operation: typed delete, iterate and batch (TypedMap.delete, TypedMap.entries, TypedMap.setMany, BpfMap.layout) - " +
    "by the BTF that the kernel holds",
  async () => {
    using object = await loadProgram("basic");
    using own = object.map("services");
    using map = BpfMap.openById(own.info.id);
    expect(map.layout()).toEqual(object.mapLayout("services"));
    const services = typedMap(map);
    await services.setMany([
      [address(81), { ...service, weight: 1n }],
      [address(82), { ...service, enabled: false }],
    ]);
    const all = await collect(services.entries());
    expect(all).toHaveLength(2);
    expect(all).toContainEqual([address(82), { ...service, enabled: false }]);
    expect([services.delete(address(82)), services.delete(address(82))]).toEqual([true, false]);
    expect(await collect(services.entries())).toEqual([[address(81), { ...service, weight: 1n }]]);
  },
);

kernelTest(
  "operation: typed per-CPU values (TypedMap.getPerCpu, TypedMap.setPerCpu) - one per possible CPU",
  async () => {
    using object = await loadProgram("basic");
    using map = object.map("counters");
    const counters = typedMap<number, number>(map, object);
    const values = (counters.getPerCpu(1) ?? []).map((_, cpu) => cpu + 1);
    counters.setPerCpu(1, values);
    expect(values.length).toBeGreaterThan(0);
    expect(counters.getPerCpu(1)).toEqual(values);
  },
);

kernelTest(
  "operation: layout of a struct (BpfObject.structLayout, BpfObject.mapLayout, codecOf) - " +
    "what a program reads is what the codec wrote",
  async () => {
    using object = await loadProgram("basic");
    const request = codecOf(object.structLayout("request"));
    using emit = object.program("emit");
    const { returnValue, context } = await emit.testRun({
      context: request.encode({ records: 3, first: 9 }),
    });
    expect([returnValue, request.decode(context)]).toEqual([3, { records: 3, first: 9 }]);
    expect(object.mapLayout("waiting")).toEqual({
      value: { kind: "int", name: "unsigned int", size: 4, signed: false },
    });
  },
);

kernelTest(
  "a layout of another size than the map's, a map without keys or without BTF is refused",
  async () => {
    using object = await loadProgram("basic");
    using counters = object.map("counters");
    expect(() => new TypedMap(counters, object.mapLayout("services"))).toThrow(
      "map counters has keys of 4 and values of 4 bytes, the types have 12 and 48",
    );
    expect(() => typedMap(object.map("waiting"), object)).toThrow("map waiting has no keys");
    using plain = BpfMap.create({ type: "hash", name: "plain", keySize: 4, valueSize: 4, maxEntries: 1 });
    expect(() => typedMap(plain)).toThrow("read BTF map plain: ENOENT (2): the map carries no BTF types");
    expect(plain.lookup(u32(1))).toBeUndefined();
  },
);
