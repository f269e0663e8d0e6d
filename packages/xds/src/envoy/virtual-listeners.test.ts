import { Cluster_DiscoveryType as DiscoveryType } from "@envoyproxy/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { OutboundPolicy } from "@keelson/protos/proxy";
import { expect, test } from "vitest";
import { bookinfo } from "./testing/bookinfo.ts";
import { aMesh } from "./testing/builders.ts";
import { decoded, summariesOf, summaryOf } from "./testing/decoded.ts";
import { aProxy } from "./testing/proxies.ts";

const atReviews = "sidecar~10.244.1.1~reviews-v1.default~default.svc.cluster.local";

test("a sidecar has the special clusters under Istio's names", () => {
  const { cluster, names } = {
    cluster: (name: string) => decoded({}).cluster(name),
    names: decoded({}).names("cluster"),
  };
  expect(names).toEqual(["BlackHoleCluster", "PassthroughCluster", "InboundPassthroughCluster"]);
  expect(cluster("BlackHoleCluster").clusterDiscoveryType.value).toBe(DiscoveryType.STATIC);
  expect(cluster("PassthroughCluster").clusterDiscoveryType.value).toBe(DiscoveryType.ORIGINAL_DST);
  expect(cluster("InboundPassthroughCluster").upstreamBindConfig?.sourceAddress?.address).toBe("127.0.0.6");
});

test("a sidecar with both families binds the source of either", () => {
  const { upstreamBindConfig } = decoded(
    {},
    aProxy({ metadata: { INSTANCE_IPS: "10.0.0.1,fd00::1" } }),
  ).cluster("InboundPassthroughCluster");
  expect(upstreamBindConfig?.extraSourceAddresses[0]?.address?.address).toBe("::6");
});

test("virtualOutbound hands connections on by their original destination and passes on the rest", () => {
  const listener = decoded({}).listener("virtualOutbound");
  expect(listener.useOriginalDst).toBe(true);
  expect(listener.filterChains.map((chain) => [chain.name, summaryOf(chain)])).toEqual([
    ["virtualOutbound-blackhole", "cluster BlackHoleCluster"],
    ["virtualOutbound-catchall-tcp", "cluster PassthroughCluster"],
  ]);
  expect(listener.filterChains[0]?.filterChainMatch?.destinationPort).toBe(15001);
});

test("unknown destinations are refused where the registry is all there is", () => {
  const mesh = aMesh({ outboundPolicy: OutboundPolicy.REGISTRY_ONLY });
  expect(summariesOf(decoded({ mesh }).listener("virtualOutbound"))[1]).toBe("cluster BlackHoleCluster");
});

test("virtualInbound has a chain for each port of the workload, and one for all others", () => {
  const listener = decoded(bookinfo, aProxy({ id: atReviews })).listener("virtualInbound");
  expect(
    listener.filterChains.map((chain) => [
      chain.name,
      chain.filterChainMatch?.destinationPort,
      summaryOf(chain),
    ]),
  ).toEqual([
    ["virtualInbound-blackhole", 15006, "cluster BlackHoleCluster"],
    ["virtualInbound-catchall-http", undefined, "inline InboundPassthroughCluster"],
    ["virtualInbound", undefined, "cluster InboundPassthroughCluster"],
    ["0.0.0.0_9080", 9080, "inline inbound|9080||"],
  ]);
  expect(listener.listenerFilters.map(({ name }) => name)).toEqual([
    "envoy.filters.listener.original_dst",
    "envoy.filters.listener.http_inspector",
  ]);
});

test("the HTTP inspector is left off ports that are known to be HTTP", () => {
  const inspector = decoded(bookinfo, aProxy({ id: atReviews })).listener("virtualInbound")
    .listenerFilters[1];
  expect(inspector?.filterDisabled?.rule).toMatchObject({
    case: "orMatch",
    value: {
      rules: [9080, 15006].map((port) => ({
        rule: { case: "destinationPortRange", value: { start: port, end: port + 1 } },
      })),
    },
  });
});

test("the workload's own port has a cluster that goes where the caller dialled", () => {
  const cluster = decoded(bookinfo, aProxy({ id: atReviews })).cluster("inbound|9080||");
  expect(cluster.clusterDiscoveryType.value).toBe(DiscoveryType.ORIGINAL_DST);
  expect(cluster.upstreamBindConfig?.sourceAddress?.address).toBe("127.0.0.6");
});

test("TPROXY listeners are transparent and keep the caller's address", () => {
  const proxy = aProxy({ id: atReviews, metadata: { INTERCEPTION_MODE: "TPROXY" } });
  const resources = decoded(bookinfo, proxy);
  expect(resources.listener("virtualOutbound").transparent).toBe(true);
  const inbound = resources.listener("virtualInbound");
  expect(inbound.transparent).toBe(true);
  expect(inbound.listenerFilters[1]?.name).toBe("envoy.filters.listener.original_src");
});

test("without interception there are no virtual listeners", () => {
  const proxy = aProxy({ id: atReviews, metadata: { INTERCEPTION_MODE: "NONE" } });
  expect(decoded(bookinfo, proxy).names("listener")).toEqual(["127.0.0.1_9080"]);
});

test("ports of the mesh's settings are used", () => {
  const mesh = aMesh({ proxyListenPort: 25001, proxyInboundListenPort: 25006 });
  const { address } = decoded({ mesh }).listener("virtualOutbound");
  expect(address?.address.value).toMatchObject({ portSpecifier: { value: 25001 } });
});

test("both families are listened on, the first one's address first", () => {
  const proxy = aProxy({ metadata: { INSTANCE_IPS: "fd00::1,10.0.0.1" } });
  const { address, additionalAddresses } = decoded({}, proxy).listener("virtualOutbound");
  expect(address?.address.value).toMatchObject({ address: "::" });
  expect(additionalAddresses.map((other) => other.address?.address.value)).toMatchObject([
    { address: "0.0.0.0" },
  ]);
});
