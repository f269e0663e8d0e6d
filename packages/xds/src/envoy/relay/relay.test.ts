import { create, fromBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { ClusterSchema } from "@envoyproxy/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { ListenerSchema } from "@envoyproxy/xds-protos/envoy/config/listener/v3/listener_pb.js";
import { RouteConfigurationSchema } from "@envoyproxy/xds-protos/envoy/config/route/v3/route_pb.js";
import { ApplicationProtocol as Protocol, type ServicePort, ServicePortSchema } from "@keelson/protos/policy";
import { expect, test } from "vitest";
import { anEndpointSet, aWorkload } from "../testing/builders.ts";
import { actionOf } from "../testing/decoded.ts";
import { faultsOf } from "../testing/sanity.ts";
import { envoyTypeUrls } from "../type-urls.ts";
import { relayResources } from "./index.ts";
import type { RelayMesh } from "./relay-mesh.ts";
import { nowhere, relayedPrefix } from "./relay-names.ts";

const service = 0x1122334455667788n;
const hostname = "reviews.default.svc.cluster.local";
const setOf = (version: string): string => `outbound|80|version=${version}|${hostname}`;
const to = (version: string, weight = 1, policy = {}) => ({ endpointSet: setOf(version), weight, policy });
const place = { cookie: 7n, path: "/proc/1/fd/9", port4: 4001, port6: 4002 };

const portOf = (init: Exclude<MessageInitShape<typeof ServicePortSchema>, ServicePort>): ServicePort =>
  create(ServicePortSchema, { port: 80, applicationProtocol: Protocol.HTTP, ...init });

function resourcesOf(port: ServicePort, more: Partial<RelayMesh> = {}) {
  const resources = relayResources(
    {
      services: new Map([[service, { hostname, port }]]),
      endpointSets: new Map(
        ["v1", "v2"].map((version) => [
          setOf(version),
          anEndpointSet(setOf(version), [
            { address: "10.0.0.1", port: 8080 },
            { address: "fd00::1", port: 8080 },
          ]),
        ]),
      ),
      workloads: new Map(),
      places: [place],
      ...more,
    },
    3n,
  );
  const view = { resources: (typeUrl: string) => resources.get(typeUrl) ?? new Map() };
  // One message is too new for every published set.
  const faults = faultsOf(view as Parameters<typeof faultsOf>[0]);
  expect(faults.filter((fault) => !fault.includes("filter_state_override"))).toEqual([]);
  const all = <T>(typeUrl: string, decode: (body: Uint8Array) => T): T[] =>
    [...view.resources(typeUrl).values()].map(({ body }) => decode(body));
  return {
    resources,
    clusters: all(envoyTypeUrls.cluster, (body) => fromBinary(ClusterSchema, body)),
    listeners: all(envoyTypeUrls.listener, (body) => fromBinary(ListenerSchema, body)),
    routes: all(envoyTypeUrls.route, (body) => fromBinary(RouteConfigurationSchema, body)),
  };
}

/** What each chain takes: bits of the address, transport, protocols and server names. */
const chainsOf = (listener: ReturnType<typeof resourcesOf>["listeners"][number] | undefined): string[] =>
  (listener?.filterChains ?? []).map(({ filterChainMatch: match, filters }) =>
    [
      match?.prefixRanges[0]?.prefixLen,
      match?.transportProtocol,
      ...(match?.applicationProtocols ?? []),
      ...(match?.serverNames ?? []),
      filters.at(-1)?.name.split(".").at(-1),
    ].join(" "),
  );

const route = (destinations: ReturnType<typeof to>[], init = {}) => ({
  route: { destinations: destinations.map(() => ({ hostname })), ...init },
  destinations,
});

test("requests are shared out over clusters of the port's endpoint sets, opened in the caller's network", () => {
  const { routes, clusters, listeners } = resourcesOf(
    portOf({ routes: [route([to("v1", 80), to("v2", 20)])] }),
  );
  const action = routes[0]?.virtualHosts[0]?.routes[0]?.action;
  const specifier = action?.case === "route" ? action.value.clusterSpecifier : undefined;
  const weights = specifier?.case === "weightedClusters" ? specifier.value.clusters : [];
  expect(weights.map(({ weight }) => weight)).toEqual([80, 20]);
  const led = clusters.filter(({ name }) => name !== nowhere);
  expect(led.map(({ name }) => name)).toEqual(weights.map(({ name }) => name));
  for (const { upstreamBindConfig } of led) {
    expect(upstreamBindConfig?.localAddressSelector?.typedConfig?.typeUrl).toMatch(/filter_state_override/);
  }
  expect(chainsOf(listeners[0])).toEqual(["64 raw_buffer http_connection_manager"]);
});

test("a listener is in the caller's network, on both of its loopback addresses", () => {
  const [listener] = resourcesOf(portOf({ routes: [route([to("v1")])] })).listeners;
  const addresses = [listener?.address, listener?.additionalAddresses[0]?.address].map((one) => one?.address);
  expect(addresses).toMatchObject([
    { value: { address: "127.0.0.1", portSpecifier: { value: 4001 } } },
    { value: { address: "::1", portSpecifier: { value: 4002 } } },
  ]);
  for (const address of addresses) {
    const unknown = address?.case === "socketAddress" ? (address.value.$unknown ?? []) : [];
    expect(unknown.map(({ no, data }) => [no, Buffer.from(data).subarray(1).toString()])).toEqual([
      [7, place.path],
    ]);
  }
});

test("a network without IPv6 has one address; where nothing is relayed connections end nowhere", () => {
  const [listener] = resourcesOf(portOf({}), { places: [{ ...place, port6: 0 }] }).listeners;
  expect(listener?.additionalAddresses).toEqual([]);
  expect(listener?.filterChains).toEqual([]);
  expect(listener?.defaultFilterChain?.name).toBe(nowhere);
});

test("a port that does not say what it speaks has its requests found out, and its bytes passed on", () => {
  const port = portOf({
    applicationProtocol: Protocol.UNSPECIFIED,
    routes: [route([to("v1")])],
    destinations: [to("v2")],
  });
  expect(chainsOf(resourcesOf(port).listeners[0])).toEqual([
    "64 raw_buffer http/1.0 http/1.1 h2c http_connection_manager",
    "64 tls tcp_proxy",
    "64 raw_buffer tcp_proxy",
  ]);
});

test("server names choose, the first route that has one; then the first route without, else the port's own", () => {
  const named = (hosts: string[], version: string) => ({
    route: { matches: [{ sniHosts: hosts }], destinations: [{ hostname }] },
    destinations: [to(version)],
  });
  const port = portOf({
    applicationProtocol: Protocol.TLS,
    destinations: [to("v2")],
    connectionRoutes: [
      named(["A.example.com", "b.example.com"], "v1"),
      named(["b.example.com", "*.c.com"], "v2"),
    ],
  });
  expect(chainsOf(resourcesOf(port).listeners[0])).toEqual([
    "64 tls a.example.com b.example.com tcp_proxy",
    "64 tls *.c.com tcp_proxy",
    "64 tls tcp_proxy",
    "64 raw_buffer tcp_proxy",
  ]);
});

test("a port that lost its routes has no chain, and answers its open connections by its destinations", () => {
  const { listeners, routes } = resourcesOf(portOf({ destinations: [to("v1")] }));
  expect(chainsOf(listeners[0])).toEqual([]);
  expect(routes[0]?.virtualHosts[0]?.routes).toHaveLength(1);
});

test("routes that look at callers are made for each workload of the node, and for who is not known", () => {
  const forWeb = { matches: [{ source: { labels: { app: "web" } } }] };
  const port = portOf({ routes: [route([to("v2")], forWeb), route([to("v1")])] });
  const workloads = new Map([
    [1n, aWorkload("default/web", { labels: [{ key: "app", value: "web" }] })],
    [2n, aWorkload("default/other")],
  ]);
  const { listeners, routes } = resourcesOf(port, { workloads });
  const led = routes.map(({ virtualHosts }) => {
    const { clusterSpecifier } = actionOf(virtualHosts[0]?.routes[0]);
    return clusterSpecifier.case === "cluster"
      ? /version=(v\d)/.exec(clusterSpecifier.value)?.[1]
      : undefined;
  });
  expect(led).toEqual(["v1", "v2", "v1"]);
  expect(chainsOf(listeners[0]).map((chain) => chain.split(" ")[0])).toEqual(["64", "128", "128"]);
  expect(relayedPrefix(service, { identifier: 1n, workload: aWorkload("default/web") })).toEqual({
    address: "8877:6655:4433:2211:100::",
    length: 128,
  });
});

test("another policy is another cluster, with its key of hashing in the route", () => {
  const hashed = { loadBalancer: { consistentHash: { key: { case: "useSourceIp" as const, value: true } } } };
  const { clusters, routes } = resourcesOf(
    portOf({ routes: [route([to("v1", 1, hashed)])], destinations: [to("v1")] }),
  );
  const action = routes[0]?.virtualHosts[0]?.routes[0]?.action;
  expect(action?.case === "route" ? action.value.hashPolicy.length : 0).toBe(1);
  expect(clusters.map(({ name }) => name).filter((name) => name.startsWith(setOf("v1")))).toHaveLength(2);
});

test("each version differs in something that is sent; else equal input gives equal resources", () => {
  const port = portOf({ routes: [route([to("v1")])] });
  const mesh = {
    services: new Map([[service, { hostname, port }]]),
    endpointSets: new Map(),
    workloads: new Map(),
    places: [place],
  };
  expect(relayResources(mesh, 1n)).toEqual(relayResources(mesh, 1n));
  const of = (version: bigint) =>
    relayResources(mesh, version).get(envoyTypeUrls.cluster)?.get(nowhere)?.version;
  expect(of(1n)).not.toEqual(of(2n));
});
