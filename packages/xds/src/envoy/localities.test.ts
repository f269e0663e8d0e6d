import { ApplicationProtocol as Protocol } from "@keelson/protos/policy";
import type { LocalityBalancingSchema } from "@keelson/protos/traffic-policy";
import { expect, test } from "vitest";
import { aHostPolicy, anEndpointSet, aService } from "./testing/builders.ts";
import { decoded } from "./testing/decoded.ts";
import { aProxy } from "./testing/proxies.ts";
import type { Init } from "./wire.ts";

const host = "a.default.svc.cluster.local";
const name = `outbound|80||${host}`;
const places = ["east/a/1", "east/a/2", "east/b", "west/c", "north/d"];
const mesh = {
  services: [aService("a", { ports: [{ port: 80, applicationProtocol: Protocol.HTTP }] })],
  endpointSets: [
    anEndpointSet(
      name,
      places.map((locality, i) => ({ address: `10.0.0.${i + 1}`, locality, labels: [`version=v${i % 2}`] })),
    ),
  ],
};
const caller = aProxy({
  locality: { region: "east", zone: "a", subZone: "1" },
  metadata: { LABELS: { version: "v0" } },
});

const assignment = (locality: Init<typeof LocalityBalancingSchema>, ejects: boolean, proxy = caller) => {
  const policy = aHostPolicy("DestinationRule/default/a", {
    hostname: host,
    policy: { loadBalancer: { locality }, ...(ejects && { outlierDetection: {} }) },
  });
  return decoded({ ...mesh, hostPolicies: [policy] }, proxy);
};
const ranks = (resources: ReturnType<typeof decoded>) =>
  Object.fromEntries(
    resources
      .endpoints(name)
      .endpoints.map(({ locality, priority }) => [
        `${locality?.region}/${locality?.zone}/${locality?.subZone}`,
        priority,
      ]),
  );

test("endpoints of one place stand together, weighing what they are", () => {
  const { endpoints } = decoded(mesh).endpoints(name);
  expect(endpoints).toHaveLength(5);
  expect(endpoints.map(({ priority, loadBalancingWeight }) => [priority, loadBalancingWeight])).toEqual(
    places.map(() => [0, 1]),
  );
});

test("where bad endpoints are noticed, near ones come first", () => {
  expect(ranks(assignment({}, true))).toEqual({
    "east/a/1": 0,
    "east/a/2": 1,
    "east/b/": 2,
    "north/d/": 3,
    "west/c/": 3,
  });
});

test("where they are not, all are alike", () => {
  expect(new Set(Object.values(ranks(assignment({}, false))))).toEqual(new Set([0]));
});

test("so they are for a caller whose place is unknown, and where the rule turns it off", () => {
  expect(new Set(Object.values(ranks(assignment({}, true, aProxy()))))).toEqual(new Set([0]));
  expect(new Set(Object.values(ranks(assignment({ enabled: false }, true))))).toEqual(new Set([0]));
});

test("a rule may name the region that comes next", () => {
  expect(ranks(assignment({ failover: [{ from: "east", to: "west" }] }, true))).toMatchObject({
    "west/c/": 3,
    "north/d/": 4,
  });
});

test("a rule may rank by labels", () => {
  const { endpoints } = assignment(
    { failoverPriority: ["version", "topology.kubernetes.io/region"] },
    true,
  ).endpoints(name);
  expect(endpoints.map(({ locality, priority }) => [locality?.region, locality?.zone, priority])).toEqual([
    ["east", "a", 0],
    ["east", "b", 0],
    ["north", "d", 1],
    ["east", "a", 2],
    ["west", "c", 2],
  ]);
});

test("a rule may give each place its share; others get nothing", () => {
  const resources = assignment(
    { distribute: [{ from: "east/*", to: { "east/a/*": 80, "west/*": 20 } }] },
    false,
  );
  expect(
    resources
      .endpoints(name)
      .endpoints.map(({ locality, loadBalancingWeight }) => [locality?.zone, loadBalancingWeight]),
  ).toEqual([
    ["a", 40],
    ["a", 40],
    ["c", 20],
  ]);
  expect(resources.cluster(name).commonLbConfig?.localityConfigSpecifier.case).toBe(
    "localityWeightedLbConfig",
  );
});
