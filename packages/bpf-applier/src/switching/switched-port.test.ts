import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  ringPoint,
  serviceValue,
  switchedKeyValue,
  switchedRuleKey,
  switchedServiceKey,
  switchedServiceValue,
} from "@keelson/bpf";
import {
  ApplicationProtocol,
  type Endpoint,
  type PortRouteSchema,
  Protocol,
  type Service,
  type ServicePort,
  ServiceSchema,
} from "@keelson/protos/policy";
import { LoadBalancer_Simple } from "@keelson/protos/traffic-policy";
import { expect, test } from "vitest";
import { endpoint, ip } from "../builders.test-helper.ts";
import { type ServiceTable, serviceTable } from "../service-table.ts";
import { mostTurns } from "./balanced-destinations.ts";
import { beingMade } from "./match-table.ts";
import { MatchTableMaker } from "./match-table-maker.ts";
import { pointsIn } from "./ring.ts";
import { RingRoom } from "./ring-room.ts";
import { destinationsOf, fail, nameOf, ruleShares } from "./switched-table.test-helper.ts";
import { ringsOf, switchingStatus } from "./switching-status.ts";
import { TableRoom } from "./table-room.ts";

const withHeader = (value: string) => [
  { headers: [{ name: "a", value: { how: { case: "exact" as const, value } } }] },
];
const toV1 = [{ endpointSet: "v1", weight: 1 }];
const both = [
  { endpointSet: "v1", weight: 3 },
  { endpointSet: "v2", weight: 1 },
];
const v6 = (last: number): Uint8Array => Uint8Array.of(0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last);
const six = { ...endpoint("10.0.0.9"), address: v6(9) };
const sets: Record<string, readonly Endpoint[]> = {
  v1: [endpoint("10.0.0.1"), endpoint("10.0.0.2", { weight: 3 }), six],
  v2: [endpoint("10.0.0.3")],
  v4: [endpoint("10.0.0.4"), endpoint("10.0.0.5")],
  none: [],
};

function web(
  routes: MessageInitShape<typeof PortRouteSchema>[],
  { addresses = [ip("10.96.0.1")], applicationProtocol = ApplicationProtocol.HTTP, hostname = "web" } = {},
): Service {
  const ports = [{ port: 80, protocol: Protocol.TCP, applicationProtocol, routes }];
  return create(ServiceSchema, { hostname, addresses, ports });
}

function tableOfService(
  service: Service,
  maker = new MatchTableMaker(),
  most?: number,
  rings = new RingRoom([]),
): ServiceTable {
  const tables = new TableRoom(maker, [], most);
  const room = { tableOf: (port: ServicePort) => tables.tableOf(port), ringOf: rings.ringOf };
  return serviceTable(service, (name) => sets[name] ?? [], { hasRelay: true, room });
}

const whyNot = (table: ServiceTable): string[] => switchingStatus([table]).others.map(({ why }) => why);
const firstValue = (table: ServiceTable) => serviceValue.decode(table.services[0]?.value ?? new Uint8Array());

test("each plain route is a rule under its own number, with its destinations' shares", () => {
  const table = tableOfService(
    web([
      { route: { matches: withHeader("x") }, destinations: toV1 },
      { route: { matches: withHeader("y"), timeoutMs: 1000n }, destinations: toV1 },
      { route: {}, destinations: both },
    ]),
  );
  expect(ruleShares(table)).toEqual({
    1: { "10.0.0.1:9080": 0.25, "10.0.0.2:9080": 0.75 },
    3: { "10.0.0.1:9080": 0.1875, "10.0.0.2:9080": 0.5625, "10.0.0.3:9080": 0.25 },
  });
  const [port] = table.ports.values();
  expect(port?.switchedRules).toEqual([1, 3]);
  const [entry] = table.switchedServices;
  const { service } = switchedServiceKey.decode(entry?.key ?? new Uint8Array());
  expect(firstValue(table)).toMatchObject({ service, isSwitched: 1, home: 1 });
  expect(switchedServiceValue.decode(entry?.value ?? new Uint8Array())).toMatchObject({ size: 0 });
});

const withSimple = (simple: LoadBalancer_Simple, endpointSet = "v1") => ({
  endpointSet,
  weight: 1,
  policy: { loadBalancer: { simple } },
});

test("for RANDOM all endpoints of a destination are alike, as at the relay, and drawn with those of others", () => {
  const destinations = [withSimple(LoadBalancer_Simple.RANDOM), { endpointSet: "v2", weight: 1 }];
  const table = tableOfService(web([{ route: {}, destinations }]));
  expect(ruleShares(table)).toEqual({
    1: { "10.0.0.1:9080": 0.25, "10.0.0.2:9080": 0.25, "10.0.0.3:9080": 0.5 },
  });
  expect(table.switchedDestinations).toEqual([]);
});

test("of a destination with more endpoints than one, one is chosen as its policy says, by least requests without one", () => {
  const { ROUND_ROBIN, LEAST_REQUEST, RANDOM } = LoadBalancer_Simple;
  const how = (...destinations: Parameters<typeof web>[0][number]["destinations"] & object) =>
    Array.from(
      destinationsOf(tableOfService(web([{ route: {}, destinations }]))).values(),
      (destination) => destination.how,
    );
  expect(how({ endpointSet: "v1", weight: 1 })).toEqual(["leastRequest"]);
  expect(how(withSimple(LEAST_REQUEST))).toEqual(["leastRequest"]);
  expect(how(withSimple(ROUND_ROBIN), withSimple(RANDOM, "v4"))).toEqual(["roundRobin", "random"]);
});

test("by a key an endpoint is found on a ring, which is told beside what is looked at; a cookie is made by the relay", () => {
  const by = (key: object, endpointSet: string) => {
    const policy = { loadBalancer: { consistentHash: { key, minimumRingSize: 100n } } };
    const destinations = [{ endpointSet, weight: 1, policy }] as Parameters<
      typeof web
    >[0][number]["destinations"];
    const table = tableOfService(web([{ route: {}, ...(destinations && { destinations }) }]));
    const keys = table.switchedKeys.map(({ value }) => switchedKeyValue.decode(value));
    return {
      keys,
      rings: ringsOf(table),
      how: Array.from(destinationsOf(table, false).values(), ({ how }) => how),
    };
  };
  const byHeader = by({ case: "httpHeaderName", value: "X-User" }, "v4");
  const name = new Uint8Array(64);
  name.set(Buffer.from("x-user"));
  expect(byHeader.keys).toEqual([{ kind: 0, length: 6, times: 1, isMade: 0, name }]);
  expect(byHeader.how).toEqual(["ring"]);
  expect(byHeader.rings.map(pointsIn)).toEqual([100]);
  // Of one endpoint there is no choice, but a cookie that may have to be made.
  expect(by({ case: "httpHeaderName", value: "x-user" }, "v2")).toEqual({ keys: [], rings: [], how: [] });
  const made = by({ case: "httpCookie", value: { name: "user", ttlMs: 0n } }, "v2");
  expect(made.keys).toMatchObject([{ kind: 1, length: 4, isMade: 1 }]);
  expect(made.how).toEqual(["ring"]);
});

test("turns are as many as endpoints weigh, in the relay's order; too many are drawn", () => {
  const order = (endpoints: readonly Endpoint[]): [string, string[]][] => {
    sets["turns"] = endpoints;
    const destinations = [withSimple(LoadBalancer_Simple.ROUND_ROBIN, "turns")];
    const table = tableOfService(web([{ route: {}, destinations }]));
    return Array.from(destinationsOf(table).values(), ({ how, among }) => [how, among.map(nameOf)]);
  };
  const [a, b, c] = ["10.0.1.1", "10.0.1.2", "10.0.1.3"] as const;
  const named = (...all: string[]): string[] => all.map((each) => `${each}:9080`);
  expect(order([endpoint(a), endpoint(b), endpoint(c)])).toEqual([["roundRobin", named(a, b, c)]]);
  expect(order([endpoint(a, { weight: 20 }), endpoint(b, { weight: 40 })])).toEqual([
    ["roundRobin", named(b, a, b)],
  ]);
  expect(order([endpoint(a, { weight: 1 }), endpoint(b, { weight: mostTurns })])).toEqual([
    ["random", named(a, b)],
  ]);
});

test("rules of a port that lead to one destination share its balancer, and another port's do not", () => {
  const routes = [
    { route: { matches: withHeader("x") }, destinations: toV1 },
    { route: {}, destinations: both },
  ];
  const one = tableOfService(web(routes));
  expect(one.switchedDestinations).toHaveLength(2);
  const other = tableOfService(web(routes, { hostname: "other" }));
  const ids = [one, other].flatMap((table) => [...destinationsOf(table).keys()]);
  expect(new Set(ids).size).toBe(4);
});

test("a route with a destination whose endpoints are all gone has no rule, and is a program's all the same", () => {
  const gone = { endpointSet: "none", weight: 1 };
  const random = withSimple(LoadBalancer_Simple.RANDOM);
  for (const destinations of [[gone], [...both, gone], [random, gone]]) {
    const table = tableOfService(web([{ route: {}, destinations }]));
    expect(ruleShares(table)).toEqual({});
    expect(table.switchedServices).toHaveLength(1);
    expect([...table.ports.values()][0]?.switchedRules).toEqual([1]);
  }
  // What has no weight is not drawn.
  const idle = tableOfService(web([{ route: {}, destinations: [...toV1, { ...gone, weight: 0 }] }]));
  expect(ruleShares(idle)).toEqual({ 1: { "10.0.0.1:9080": 0.25, "10.0.0.2:9080": 0.75 } });
});

test("callers of each family have endpoints of theirs, or of the other where there are none", () => {
  const addresses = [ip("10.96.0.1"), v6(1)];
  const table = tableOfService(web([{ route: {}, destinations: both }], { addresses }));
  expect(table.services.map(({ value }) => serviceValue.decode(value).isSwitched)).toEqual([1, 1]);
  expect(ruleShares(table, 4)).toEqual({
    1: { "10.0.0.1:9080": 0.1875, "10.0.0.2:9080": 0.5625, "10.0.0.3:9080": 0.25 },
  });
  expect(ruleShares(table, 6)).toEqual({ 1: { "[fd00::9]:9080": 0.75, "10.0.0.3:9080": 0.25 } });
});

test("a port that is the relay's as a whole says why, and is marked in no address", () => {
  const matches = [{ queryParameters: [{ name: "a" }] }];
  for (const [service, why] of [
    [
      web([{ route: {}, destinations: both }], { applicationProtocol: ApplicationProtocol.GRPC }),
      /speak GRPC/,
    ],
    [web([{ route: { timeoutMs: 1n }, destinations: both }]), /none is for programs; .* it sets a timeout/],
    [web([{ route: { matches }, destinations: both }]), /looks at query parameters/],
  ] as const) {
    const table = tableOfService(service);
    expect(whyNot(table)).toEqual([expect.stringMatching(why)]);
    expect(table.switchedServices).toEqual([]);
    expect(firstValue(table).isSwitched).toBe(0);
  }
});

test("without programs that take requests nothing is switched, nor said of it", () => {
  const endpoints = (name: string): readonly Endpoint[] => sets[name] ?? [];
  const table = serviceTable(web([{ route: {}, destinations: both }]), endpoints, { hasRelay: true });
  expect(table).toMatchObject({ switchedServices: [], switchedRules: [] });
  expect(switchingStatus([table])).toEqual({
    ports: 0,
    beingMade: 0,
    tables: 0,
    tableBytes: 0,
    rings: 0,
    ringBytes: 0,
    others: [],
    partly: [],
  });
});

test("ports with the same conditions share a table, whatever their destinations", () => {
  const maker = new MatchTableMaker();
  const one = tableOfService(web([{ route: {}, destinations: both }]), maker);
  const other = tableOfService(web([{ route: {}, destinations: toV1 }], { hostname: "other" }), maker);
  const third = tableOfService(web([{ route: { matches: withHeader("x") }, destinations: toV1 }]), maker);
  expect(switchingStatus([one, other])).toMatchObject({ ports: 2, tables: 1, tableBytes: 65_536 });
  expect(switchingStatus([one, other, third])).toMatchObject({ ports: 3, tables: 2 });
});

test("who comes when there is no room is the relay's, and says what was needed", () => {
  const service = web([{ route: { matches: withHeader("x") }, destinations: toV1 }]);
  expect(whyNot(tableOfService(service, undefined, 65_536))).toEqual([]);
  expect(whyNot(tableOfService(service, undefined, 65_535))).toEqual([
    expect.stringMatching(/^its match table needs 0\.0625 MiB, and those of this node may take/),
  ]);
  // One that others have already needs none.
  const maker = new MatchTableMaker();
  const table = maker.tableOf(service.ports[0] ?? fail());
  if (table === beingMade || "unfit" in table) throw new Error("there is no table");
  const room = new TableRoom(maker, [table], 65_536);
  const same = web([{ route: { matches: withHeader("x") }, destinations: both }], { hostname: "same" });
  const other = web([{ route: { matches: withHeader("z") }, destinations: both }], { hostname: "other" });
  expect(room.tableOf(same.ports[0] ?? fail())).toBe(table);
  expect(room.tableOf(other.ports[0] ?? fail())).toHaveProperty("unfit");
});

test("a route whose ring has no room is the relay's, its port's others are not, and it is said", () => {
  const byUser = { case: "httpHeaderName" as const, value: "x-user" };
  const by = (endpointSet: string, shape: object) => ({
    endpointSet,
    weight: 1,
    policy: { loadBalancer: { consistentHash: { key: byUser, ...shape } } },
  });
  const ring = { minimumRingSize: 100n };
  const routes = [
    { route: { matches: withHeader("x") }, destinations: [by("v4", ring)] },
    { route: { matches: withHeader("y") }, destinations: [by("v1", { maglevTableSize: 101n })] },
    { route: {}, destinations: [{ endpointSet: "v2", weight: 1 }] },
  ];
  const room = new RingRoom([], 100 * ringPoint.size);
  const table = tableOfService(web(routes), undefined, undefined, room);
  expect(table.switchedRules.map(({ key }) => switchedRuleKey.decode(key).rule)).toEqual([1, 3]);
  expect([...table.ports.values()][0]?.switchedRules).toEqual([1, 2, 3]);
  expect(switchingStatus([table])).toMatchObject({
    ports: 1,
    rings: 1,
    ringBytes: 100 * ringPoint.size,
    partly: [{ hostname: "web", port: 80, why: expect.stringMatching(/routes 2 have no room/) }],
  });
  // One that others have already needs none, also of a service that comes later.
  const later = new RingRoom(ringsOf(table), 100 * ringPoint.size);
  const destinations = [by("v4", ring)];
  const same = tableOfService(
    web([{ route: {}, destinations }], { hostname: "same" }),
    undefined,
    undefined,
    later,
  );
  expect(switchingStatus([same]).partly).toEqual([]);
  expect(switchingStatus([table, same])).toMatchObject({ rings: 1 });
});
