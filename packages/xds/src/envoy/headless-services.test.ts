import { Cluster_DiscoveryType as DiscoveryType } from "@envoyproxy/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { ApplicationProtocol as Protocol, Resolution } from "@keelson/protos/policy";
import { expect, test } from "vitest";
import { anEndpointSet, aService } from "./testing/builders.ts";
import { decoded, summariesOf } from "./testing/decoded.ts";
import { aProxy } from "./testing/proxies.ts";

const host = "db.default.svc.cluster.local";
const headless = (applicationProtocol: Protocol) =>
  aService("db", {
    addresses: [],
    resolution: Resolution.PASSTHROUGH,
    ports: [{ port: 5432, applicationProtocol }],
  });
const endpointSets = [
  anEndpointSet(`outbound|5432||${host}`, [
    { address: "10.244.0.7", port: 5432 },
    { address: "10.244.0.8", port: 5432 },
  ]),
];

test("callers of endpoints of a TCP service are led to its cluster, others pass through", () => {
  const resources = decoded({ services: [headless(Protocol.TCP)], endpointSets });
  const listener = resources.listener("0.0.0.0_5432");
  expect(summariesOf(listener)).toEqual([`cluster outbound|5432||${host}`, "cluster PassthroughCluster"]);
  expect(
    listener.filterChains[0]?.filterChainMatch?.prefixRanges.map(({ addressPrefix }) => addressPrefix),
  ).toEqual(["10.244.0.7", "10.244.0.8"]);
  expect(resources.cluster(`outbound|5432||${host}`).clusterDiscoveryType.value).toBe(
    DiscoveryType.ORIGINAL_DST,
  );
});

test("without endpoints a service of the cluster has no listener", () => {
  expect(decoded({ services: [headless(Protocol.TCP)] }).names("listener")).toEqual([
    "virtualOutbound",
    "virtualInbound",
  ]);
});

test("a port that does not say has a listener for each endpoint", () => {
  const resources = decoded({ services: [headless(Protocol.UNSPECIFIED)], endpointSets });
  expect(resources.names("listener")).toEqual(expect.arrayContaining(["10.244.0.7_5432", "10.244.0.8_5432"]));
  expect(summariesOf(resources.listener("10.244.0.7_5432"))).toEqual([
    `routes ${host}:5432`,
    `cluster outbound|5432||${host}`,
  ]);
});

test("HTTP is told apart by its host, as usual", () => {
  expect(decoded({ services: [headless(Protocol.HTTP)], endpointSets }).names("listener")).toContain(
    "0.0.0.0_5432",
  );
});

test("gateways have no original destination: they are told the endpoints", () => {
  const router = aProxy({ id: "router~10.0.0.1~gw.default~default.svc.cluster.local" });
  const resources = decoded({ services: [headless(Protocol.TCP)], endpointSets }, router);
  expect(resources.cluster(`outbound|5432||${host}`).clusterDiscoveryType.value).toBe(DiscoveryType.EDS);
  expect(resources.endpoints(`outbound|5432||${host}`).endpoints[0]?.lbEndpoints).toHaveLength(2);
});
