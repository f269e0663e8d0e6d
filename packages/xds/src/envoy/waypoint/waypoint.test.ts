import { Cluster_DiscoveryType as DiscoveryType } from "@envoyproxy/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { ApplicationProtocol as Protocol, Resolution } from "@keelson/protos/policy";
import { expect, test } from "vitest";
import { aHostPolicy, anEndpointSet, aRouteTable, aService } from "../testing/builders.ts";
import { actionOf, decoded, summariesOf } from "../testing/decoded.ts";
import { aProxy, withAgent } from "../testing/proxies.ts";
import { filtersOf } from "../testing/references.ts";

const waypoint = "default/waypoint";
const proxy = aProxy({
  id: "waypoint~10.0.0.1~waypoint-7d4.default~default.svc.cluster.local",
  metadata: { ...withAgent, LABELS: { "gateway.networking.k8s.io/gateway-name": "waypoint" } },
});
const reviews = "reviews.default.svc.cluster.local";
const db = "db.default.svc.cluster.local";
const ratings = "ratings.default.svc.cluster.local";
const services = [
  aService("reviews", {
    waypoint,
    addresses: ["10.96.0.1", "fd00::1"],
    ports: [
      { port: 80, applicationProtocol: Protocol.HTTP },
      { port: 90, name: "any" },
    ],
  }),
  aService("db", {
    waypoint,
    addresses: ["10.96.0.2"],
    ports: [
      { port: 5432, applicationProtocol: Protocol.TCP },
      { port: 53, applicationProtocol: Protocol.UDP },
    ],
  }),
  aService("ratings", {
    addresses: ["10.96.0.3"],
    ports: [{ port: 80, applicationProtocol: Protocol.HTTP }],
  }),
];
const endpointSets = [
  anEndpointSet(`outbound|80||${reviews}`, [
    { address: "10.244.0.1", port: 8080, tunnel: true },
    { address: "10.244.0.2", port: 8080 },
  ]),
  anEndpointSet(`outbound|80|version=v1|${reviews}`, [{ address: "10.244.0.1", port: 8080, tunnel: true }]),
];
const mesh = { services, endpointSets };

test("a waypoint has the clusters and listeners of tunnels, and of the services that name it", () => {
  const resources = decoded(mesh, proxy);
  expect(resources.names("cluster")).toEqual([
    `inbound-vip|5432|tcp|${db}`,
    `inbound-vip|80|http|${reviews}`,
    `inbound-vip|90|tcp|${reviews}`,
    `inbound-vip|90|http|${reviews}`,
    "main_internal",
    "encap",
    "connect_originate",
    "BlackHoleCluster",
  ]);
  expect(resources.names("listener")).toEqual(["connect_terminate", "connect_originate", "main_internal"]);
  expect(resources.names("route")).toEqual([]);
  expect(resources.listener("connect_terminate").address?.address.value).toMatchObject({
    address: "0.0.0.0",
    portSpecifier: { value: 15_008 },
  });
  expect(resources.listener("main_internal").filterChains.map(({ name }) => name)).toEqual([
    `inbound-vip|5432|tcp|${db}`,
    `inbound-vip|80|http|${reviews}`,
    `inbound-vip|90|tcp|${reviews}`,
    `inbound-vip|90|http|${reviews}`,
  ]);
  expect(summariesOf(resources.listener("main_internal")).slice(0, 2)).toEqual([
    `cluster inbound-vip|5432|tcp|${db}`,
    `inline inbound-vip|80|http|${reviews}`,
  ]);
});

test("a waypoint that no service names has its tunnels", () => {
  const other = aProxy({ id: proxy.id, metadata: withAgent });
  const resources = decoded(mesh, other);
  expect(resources.names("cluster")).toEqual([
    "main_internal",
    "encap",
    "connect_originate",
    "BlackHoleCluster",
  ]);
  expect(resources.listener("main_internal").filterChains.map(({ name }) => name)).toEqual([
    "virtualInbound-blackhole",
  ]);
});

test("chains are found by address, port and, where the port does not say, by what is spoken", () => {
  const { filterChains, listenerFilters } = decoded(mesh, proxy).listener("main_internal");
  expect(
    filterChains.map(({ name, filterChainMatch }) => [
      name,
      filterChainMatch?.destinationPort,
      filterChainMatch?.prefixRanges.map(({ addressPrefix }) => addressPrefix),
      filterChainMatch?.applicationProtocols,
    ]),
  ).toEqual([
    [`inbound-vip|5432|tcp|${db}`, 5432, ["10.96.0.2"], []],
    [`inbound-vip|80|http|${reviews}`, 80, ["10.96.0.1"], []],
    [`inbound-vip|90|tcp|${reviews}`, 90, ["10.96.0.1"], []],
    [`inbound-vip|90|http|${reviews}`, 90, ["10.96.0.1"], ["http/1.1", "h2c"]],
  ]);
  expect(listenerFilters.map(({ name }) => name)).toEqual([
    "envoy.filters.listener.original_dst",
    "envoy.filters.listener.http_inspector",
  ]);
});

test("endpoints behind a tunnel are reached by the listener that begins one, others by themselves", () => {
  const resources = decoded(mesh, proxy);
  const name = `inbound-vip|80|http|${reviews}`;
  expect(resources.cluster(name).clusterDiscoveryType.value).toBe(DiscoveryType.EDS);
  expect(resources.cluster(name).transportSocket?.name).toBe("envoy.transport_sockets.internal_upstream");
  const [tunnelled, plain] = resources.endpoints(name).endpoints[0]?.lbEndpoints ?? [];
  expect(tunnelled).toMatchObject({
    hostIdentifier: {
      value: {
        address: {
          address: {
            case: "envoyInternalAddress",
            value: { addressNameSpecifier: { value: "connect_originate" }, endpointId: "10.244.0.1:8080" },
          },
        },
      },
    },
    metadata: { filterMetadata: { "envoy.filters.listener.original_dst": { local: "10.244.0.1:8080" } } },
  });
  expect(plain?.hostIdentifier.value).toMatchObject({ address: { address: { case: "socketAddress" } } });
  const outbound = decoded(mesh).endpoints(`outbound|80||${reviews}`).endpoints[0]?.lbEndpoints[0];
  expect(outbound?.hostIdentifier.value).toMatchObject({ address: { address: { case: "socketAddress" } } });
});

test("subsets are a part of the name, and requests follow the service's rules", () => {
  const hostPolicies = [
    aHostPolicy("DestinationRule/default/reviews", {
      hostname: reviews,
      subsets: [{ name: "v1", labels: { version: "v1" } }],
    }),
  ];
  const table = aRouteTable("VirtualService/default/reviews", {
    hosts: [reviews],
    http: [
      {
        destinations: [
          { hostname: reviews, subset: "v1", weight: 9 },
          { hostname: ratings, weight: 1 },
        ],
      },
    ],
  });
  const elsewhere = aRouteTable("VirtualService/shop/reviews", {
    hosts: [reviews],
    http: [{ directResponse: { status: 404 } }],
  });
  const resources = decoded({ ...mesh, hostPolicies, routeTables: [elsewhere, table] }, proxy);
  const subset = `inbound-vip|80|http/v1|${reviews}`;
  expect(resources.names("cluster")).toEqual(expect.arrayContaining([subset, `outbound|80||${ratings}`]));
  expect(resources.endpoints(subset).endpoints[0]?.lbEndpoints).toHaveLength(1);
  const chain = resources
    .listener("main_internal")
    .filterChains.find(({ name }) => name === `inbound-vip|80|http|${reviews}`);
  const [manager] = chain === undefined ? [] : filtersOf(chain).managers;
  const routes = manager?.routeSpecifier.case === "routeConfig" ? manager.routeSpecifier.value : undefined;
  expect(routes).toMatchObject({ name: `inbound-vip|80|http|${reviews}` });
  expect(routes?.virtualHosts.map(({ name, routes: all }) => [name, all.length])).toEqual([
    ["inbound|http|80", 1],
  ]);
  expect(actionOf(routes?.virtualHosts[0]?.routes[0]).clusterSpecifier.value).toMatchObject({
    clusters: [
      { name: subset, weight: 9 },
      { name: `outbound|80||${ratings}`, weight: 1 },
    ],
  });
});

test("connections follow the first rule for them", () => {
  const table = aRouteTable("VirtualService/default/db", {
    hosts: [db],
    tcp: [{ destinations: [{ hostname: db, port: 5432 }, { hostname: ratings }] }],
  });
  const [chain] = decoded({ ...mesh, routeTables: [table] }, proxy).listener("main_internal").filterChains;
  expect(chain && filtersOf(chain).proxies[0]?.clusterSpecifier.value).toMatchObject({
    clusters: [{ name: `inbound-vip|5432|tcp|${db}` }, { name: `outbound|80||${ratings}` }],
  });
});

test("a service that is looked up holds its endpoints itself", () => {
  const outside = aService("outside", {
    hostname: "api.example.com",
    waypoint,
    addresses: ["240.240.0.1"],
    resolution: Resolution.DNS,
    meshExternal: true,
    ports: [{ port: 443, applicationProtocol: Protocol.HTTP }],
  });
  const cluster = decoded({ services: [outside] }, proxy).cluster("inbound-vip|443|http|api.example.com");
  expect(cluster.clusterDiscoveryType.value).toBe(DiscoveryType.STRICT_DNS);
  expect(cluster.loadAssignment?.endpoints).toHaveLength(1);
});
