import { serviceKey, serviceValue, slotValue } from "@keelson/bpf";
import { formatAddress, formatEndpoint, mapAddress } from "@keelson/model";
import { Protocol } from "@keelson/protos/policy";
import fc from "fast-check";
import { expect, test } from "vitest";
import { endpoint, ip, service } from "./builders.test-helper.ts";
import { type ServiceTable, serviceTable } from "./service-table.ts";

const v6 = Uint8Array.of(0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);

/** Reads a table as the programs do: the exact share of every endpoint behind an address; "" is refused. */
function shares(table: ServiceTable, address: Uint8Array): Record<string, number> {
  const entry = table.services.find(
    ({ key }) => formatAddress(serviceKey.decode(key).address) === formatAddress(address),
  );
  const { slots, slotCount } = serviceValue.decode(entry?.value ?? new Uint8Array());
  const own = table.slots
    .filter(({ key }) => new DataView(key.buffer, key.byteOffset).getBigUint64(0, true) === slots)
    .map(({ value }) => slotValue.decode(value));
  expect(own).toHaveLength(slotCount);
  const nameOf = (slot: (typeof own)[number] | undefined): string =>
    slot === undefined || slot.endpoint === 0n ? "" : formatEndpoint(slot.address, slot.port);
  const result: Record<string, number> = {};
  own.forEach((slot, i) => {
    const keep = slot.alias === i ? 1 : slot.threshold / 2 ** 32;
    result[nameOf(slot)] = (result[nameOf(slot)] ?? 0) + keep / own.length;
    const alias = nameOf(own[slot.alias]);
    result[alias] = (result[alias] ?? 0) + (1 - keep) / own.length;
  });
  return Object.fromEntries(Object.entries(result).map(([name, share]) => [name, Number(share.toFixed(6))]));
}

const sets = (map: Record<string, ReturnType<typeof endpoint>[]>) => (name: string) => {
  const found = map[name];
  if (found === undefined) throw new Error(`no set ${name}`);
  return found;
};

test("weights of destinations and of endpoints multiply", () => {
  const table = serviceTable(
    service("reviews", { to: { v1: 80, v2: 20 } }),
    sets({ v1: [endpoint("10.0.0.1"), endpoint("10.0.0.2", { weight: 3 })], v2: [endpoint("10.0.0.3")] }),
  );
  expect(shares(table, ip("10.96.0.1"))).toEqual({
    "10.0.0.1:9080": 0.2,
    "10.0.0.2:9080": 0.6,
    "10.0.0.3:9080": 0.2,
  });
});

test("the share of a set without endpoints is refused, not given to others", () => {
  const table = serviceTable(
    service("reviews", { to: { v1: 75, none: 25 } }),
    sets({ v1: [endpoint("10.0.0.1")], none: [] }),
  );
  expect(shares(table, ip("10.96.0.1"))).toEqual({ "10.0.0.1:9080": 0.75, "": 0.25 });
});

test("a service without any endpoint has an entry and no slots, so that callers are refused", () => {
  const table = serviceTable(service("reviews"), sets({ all: [] }));
  expect(table.slots).toEqual([]);
  expect(serviceValue.decode(table.services[0]?.value ?? new Uint8Array()).slotCount).toBe(0);
});

test("a destination of weight 0 gets nothing", () => {
  const table = serviceTable(
    service("reviews", { to: { v1: 0, v2: 5 } }),
    sets({ v1: [endpoint("10.0.0.1")], v2: [endpoint("10.0.0.2")] }),
  );
  expect(shares(table, ip("10.96.0.1"))).toEqual({ "10.0.0.2:9080": 1 });
});

test("callers get endpoints of the family they dial", () => {
  const six = { ...endpoint("10.0.0.9"), address: v6 };
  const table = serviceTable(
    service("reviews", { addresses: [ip("10.96.0.1"), Uint8Array.of(...v6.subarray(0, 15), 0x99)] }),
    sets({ all: [endpoint("10.0.0.1"), six] }),
  );
  expect(shares(table, ip("10.96.0.1"))).toEqual({ "10.0.0.1:9080": 1 });
  expect(shares(table, Uint8Array.of(...v6.subarray(0, 15), 0x99))).toEqual({ "[fd00::1]:9080": 1 });
});

test("UDP and TCP of one port are two entries", () => {
  const keyOf = (protocol: Protocol) =>
    serviceTable(service("dns", { protocol }), sets({ all: [] })).services[0]?.key;
  expect(serviceKey.decode(keyOf(Protocol.UDP) ?? new Uint8Array()).protocol).toBe(17);
  expect(serviceKey.decode(keyOf(Protocol.TCP) ?? new Uint8Array()).protocol).toBe(6);
});

test.each([0, 65_536])("port %i is refused by name", (port) => {
  expect(() => serviceTable(service("reviews", { port }), sets({ all: [] }))).toThrow(
    `reviews: port ${port}`,
  );
});

test("equal input gives equal bytes, and any shares add up to 1", () => {
  const anyEndpoint = fc
    .tuple(fc.integer({ min: 1, max: 250 }), fc.integer({ min: 1, max: 100 }))
    .map(([n, weight]) => endpoint(`10.0.0.${n}`, { weight }));
  fc.assert(
    fc.property(
      fc.array(anyEndpoint, { maxLength: 20 }),
      fc.array(anyEndpoint, { maxLength: 20 }),
      (a, b) => {
        const build = () => serviceTable(service("s", { to: { a: 30, b: 70 } }), sets({ a, b }));
        expect(build()).toEqual(build());
        const total = Object.values(shares(build(), ip("10.96.0.1"))).reduce((x, y) => x + y, 0);
        expect(total).toBeCloseTo(a.length + b.length === 0 ? 0 : 1, 4);
      },
    ),
  );
});

test("names of everything that a counter can carry", () => {
  const table = serviceTable(
    service("reviews"),
    sets({ all: [endpoint("10.0.0.1", { workload: "default/reviews-v1" })] }),
  );
  expect([...table.names.values()]).toEqual([
    { kind: "service", hostname: "reviews", port: 80 },
    { kind: "endpoint", address: "10.0.0.1:9080", workload: "default/reviews-v1", labels: [] },
  ]);
  expect(mapAddress(ip("10.0.0.1"))).toHaveLength(16);
});
