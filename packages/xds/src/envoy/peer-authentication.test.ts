import { Cluster_DiscoveryType as DiscoveryType } from "@envoyproxy/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { ApplicationProtocol as Protocol, Resolution } from "@keelson/protos/policy";
import { MutualTls, type PeerAuthenticationSchema } from "@keelson/protos/proxy";
import { expect, test } from "vitest";
import { bookinfo } from "./testing/bookinfo.ts";
import { anEndpointSet, aPeerAuthentication, aService, aWorkload } from "./testing/builders.ts";
import { decoded } from "./testing/decoded.ts";
import { aProxy, withAgent } from "./testing/proxies.ts";
import { filtersOf } from "./testing/references.ts";
import type { Init } from "./wire.ts";

const id = "sidecar~10.244.1.1~reviews-v1.default~default.svc.cluster.local";
const injected = aProxy({ id, metadata: { ...withAgent, LABELS: { app: "reviews" } } });
const { DISABLE, PERMISSIVE, STRICT } = MutualTls;

/** Ports of reviews: 9080 HTTP, 7000 TCP, 8000 of no known protocol. */
const services = [
  aService("reviews", {
    ports: [
      { port: 9080, name: "http", applicationProtocol: Protocol.HTTP },
      { port: 7000, name: "tcp", applicationProtocol: Protocol.TCP },
      { port: 8000, name: "any" },
    ],
  }),
];
const endpointSets = [9080, 7000, 8000].map((port) =>
  anEndpointSet(`outbound|${port}||reviews.default.svc.cluster.local`, [
    { address: "10.244.1.1", port, workload: "default/reviews-v1" },
  ]),
);

/** Of each chain: port, TLS or not with the number of protocols, what it speaks, and whether it ends TLS. */
function chains(policies: Init<typeof PeerAuthenticationSchema>[], proxy = injected) {
  const peerAuthentications = policies.map((init, i) => aPeerAuthentication(`default/policy-${i}`, init));
  const { filterChains } = decoded({ services, endpointSets, peerAuthentications }, proxy).listener(
    "virtualInbound",
  );
  return filterChains.slice(1).map((chain) => {
    const {
      destinationPort: port = 0,
      transportProtocol = "",
      applicationProtocols = [],
    } = chain.filterChainMatch ?? {};
    const speaks = filtersOf(chain).managers.length > 0 ? "http" : "tcp";
    const marks = applicationProtocols.length > 0 ? "+" : "";
    return `${port} ${transportProtocol}${marks} ${speaks}${chain.transportSocket === undefined ? "" : " ended"}`;
  });
}

const permissive = {
  0: ["0 tls+ http ended", "0 raw_buffer+ http", "0 tls+ tcp ended", "0 raw_buffer tcp", "0 tls tcp"],
  9080: ["9080 tls+ http ended", "9080 raw_buffer http"],
  7000: ["7000 tls+ tcp ended", "7000 tls tcp", "7000 raw_buffer tcp"],
  8000: [
    "8000 tls+ http ended",
    "8000 raw_buffer+ http",
    "8000 tls+ tcp ended",
    "8000 raw_buffer tcp",
    "8000 tls tcp",
  ],
};
const strict = {
  0: ["0 tls+ http ended", "0 tls tcp ended"],
  9080: ["9080 tls http ended"],
  7000: ["7000 tls tcp ended"],
  8000: ["8000 tls+ http ended", "8000 tls tcp ended"],
};
const clear = {
  0: ["0 raw_buffer+ http", "0 raw_buffer tcp"],
  9080: ["9080 raw_buffer http"],
  7000: ["7000 raw_buffer tcp"],
  8000: ["8000 raw_buffer+ http", "8000 raw_buffer tcp"],
};
type Ports = Readonly<Record<0 | 9080 | 7000 | 8000, readonly string[]>>;
const all = (ports: Ports) => [...ports[0], ...ports[7000], ...ports[8000], ...ports[9080]];

test("both are taken unless a policy says otherwise", () => {
  expect(chains([])).toEqual(all(permissive));
  expect(chains([{ mode: PERMISSIVE }])).toEqual(all(permissive));
});

test("STRICT takes nothing but mutual TLS, on all ports", () => {
  expect(chains([{ mode: STRICT }])).toEqual(all(strict));
});

test("DISABLE takes no mutual TLS", () => {
  expect(chains([{ mode: DISABLE }])).toEqual(all(clear));
});

test("a port may have a mode of its own, also one that no service has", () => {
  const workloadLabels = { app: "reviews" };
  expect(chains([{ mode: STRICT, workloadLabels, portModes: { 9080: DISABLE, 5000: PERMISSIVE } }])).toEqual([
    ...strict[0],
    ...permissive[0].map((chain) => chain.replace("0", "5000")),
    ...strict[7000],
    ...strict[8000],
    ...clear[9080],
  ]);
  expect(chains([{ mode: STRICT, workloadLabels: { app: "other" } }])).toEqual(all(permissive));
});

test("labels of the registry win over those that a proxy tells", () => {
  const peerAuthentications = [
    aPeerAuthentication("default/p", { mode: STRICT, workloadLabels: { app: "other" } }),
  ];
  const workloads = [aWorkload("default/reviews-v1", { labels: [{ key: "app", value: "other" }] })];
  const parts = { services, endpointSets, peerAuthentications };
  const count = (more: object) =>
    decoded({ ...parts, ...more }, injected).listener("virtualInbound").filterChains.length;
  expect([count({}), count({ workloads })]).toEqual([all(permissive).length + 1, all(strict).length + 1]);
});

test("a proxy without an agent takes clear text, but not where it must not", () => {
  const plain = aProxy({ id });
  expect(chains([], plain)).toEqual(all(clear));
  expect(chains([{ mode: STRICT }], plain)).toEqual(all(strict));
});

test("a headless service is called by mutual TLS if all of its endpoints take it", () => {
  const socketOf = (mutualTls: boolean) => {
    const headless = aService("db", {
      addresses: [],
      resolution: Resolution.PASSTHROUGH,
      ports: [{ port: 7000, name: "tcp", applicationProtocol: Protocol.TCP }],
      mutualTls,
    });
    const client = aProxy({ metadata: withAgent });
    const cluster = decoded({ ...bookinfo, services: [headless] }, client).cluster(
      "outbound|7000||db.default.svc.cluster.local",
    );
    expect(cluster.clusterDiscoveryType.value).toBe(DiscoveryType.ORIGINAL_DST);
    return cluster.transportSocket?.name;
  };
  expect([socketOf(true), socketOf(false)]).toEqual(["envoy.transport_sockets.tls", undefined]);
});
