import { Cluster_DiscoveryType as DiscoveryType } from "@envoyproxy/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { ApplicationProtocol as Protocol } from "@keelson/protos/policy";
import { CaptureMode, OutboundPolicy, type SidecarScopeSchema } from "@keelson/protos/proxy";
import { expect, test } from "vitest";
import { bookinfo, ratings, reviews } from "./testing/bookinfo.ts";
import { aRouteTable, aService, aSidecarScope, aWorkload } from "./testing/builders.ts";
import { decoded, summariesOf } from "./testing/decoded.ts";
import { aProxy } from "./testing/proxies.ts";
import type { Init } from "./wire.ts";

const web = (name: string) => aService(name, { ports: [{ port: 80, applicationProtocol: Protocol.HTTP }] });
const services = [web("a"), web("b.shop"), web("c.shop"), web("d.bank")];

const outbound = (resources: ReturnType<typeof decoded>) =>
  resources.names("cluster").flatMap((name) => /^outbound\|\d+\|\|([^.]+)/.exec(name)?.[1] ?? []);
const seenWith = (hosts: string[]) =>
  outbound(decoded({ services, sidecarScopes: [aSidecarScope("default/s", { egress: [{ hosts }] })] }));

test.each([
  [["*/*"], ["a", "b", "c", "d"]],
  [["./*"], ["a"]],
  [["shop/*"], ["b", "c"]],
  [
    ["shop/b.shop.svc.cluster.local", "./*"],
    ["a", "b"],
  ],
  [["*/b.shop.svc.cluster.local"], ["b"]],
  [["bank/b.shop.svc.cluster.local"], []],
  [["*/*.shop.svc.cluster.local"], ["b", "c"]],
  [
    ["*/*", "~shop/b.shop.svc.cluster.local"],
    ["a", "c", "d"],
  ],
  [["~/*"], []],
])("hosts %j let a sidecar see %j", (hosts, expected) => {
  expect(seenWith(hosts)).toEqual(expected);
});

test("without a Sidecar everything that is exported is seen", () => {
  const hidden = aService("hidden.shop", { exportedTo: ["shop"], ports: [{ port: 80 }] });
  const own = aService("own", { exportedTo: ["default"], ports: [{ port: 80 }] });
  expect(outbound(decoded({ services: [...services, hidden, own] }))).toEqual(["a", "b", "c", "d", "own"]);
});

test("a Sidecar for the workload's labels comes before the namespace's, that before the root namespace's", () => {
  const scope = (name: string, host: string, init: Init<typeof SidecarScopeSchema> = {}) =>
    aSidecarScope(name, { egress: [{ hosts: [host] }], ...init });
  const scopes = [
    scope("istio-system/root", "bank/*"),
    scope("default/general", "shop/*"),
    scope("default/special", "./*", { workloadLabels: { app: "web" } }),
  ];
  const seen = (count: number, app: string) =>
    outbound(
      decoded({ services, sidecarScopes: scopes.slice(0, count) }, aProxy({ metadata: { LABELS: { app } } })),
    );
  expect([seen(1, "web"), seen(2, "web"), seen(3, "web"), seen(3, "other")]).toEqual([
    ["d"],
    ["b", "c"],
    ["a"],
    ["b", "c"],
  ]);
});

test("labels of the registry win over those that the proxy claims", () => {
  const sidecarScopes = [
    aSidecarScope("default/s", { workloadLabels: { app: "web" }, egress: [{ hosts: ["./*"] }] }),
  ];
  const workloads = [aWorkload("default/client", { labels: [{ key: "app", value: "web" }] })];
  const proxy = aProxy({ metadata: { LABELS: { app: "other" } } });
  expect(outbound(decoded({ services, sidecarScopes }, proxy))).toHaveLength(4);
  expect(outbound(decoded({ services, sidecarScopes, workloads }, proxy))).toEqual(["a"]);
});

test("what rules lead to is seen as well, but has no listener of its own", () => {
  const table = aRouteTable("VirtualService/default/a", {
    hosts: ["a.default.svc.cluster.local"],
    http: [{ destinations: [{ hostname: "d.bank.svc.cluster.local" }] }],
  });
  const scope = aSidecarScope("default/s", { egress: [{ hosts: ["./*"] }] });
  const resources = decoded({ services, routeTables: [table], sidecarScopes: [scope] });
  expect(outbound(resources)).toEqual(["a", "d"]);
  expect(resources.routes("80").virtualHosts.map(({ name }) => name)).toEqual([
    "a.default.svc.cluster.local:80",
    "allow_any",
  ]);
});

test("rules whose hosts are not imported do not count", () => {
  const table = aRouteTable("VirtualService/shop/a", {
    hosts: ["a.default.svc.cluster.local"],
    http: [{ directResponse: { status: 418 } }],
  });
  const scope = (hosts: string[]) => [aSidecarScope("default/s", { egress: [{ hosts }] })];
  const action = (hosts: string[]) =>
    decoded({ services, routeTables: [table], sidecarScopes: scope(hosts) }).virtualHost(
      "80",
      "a.default.svc.cluster.local:80",
    ).routes[0]?.action.case;
  expect([action(["./*"]), action(["./*", "shop/*"])]).toEqual(["route", "directResponse"]);
});

test("a listener for one port has that port's services, the catch-all listener the rest", () => {
  const scope = aSidecarScope("default/s", {
    egress: [
      { port: 9080, portName: "http", protocol: "HTTP", hosts: [`default/${reviews}`] },
      { hosts: ["*/*"] },
    ],
  });
  const resources = decoded({ ...bookinfo, sidecarScopes: [scope] });
  expect(resources.routes("9080").virtualHosts.map(({ name }) => name)).toEqual([
    `${reviews}:9080`,
    "allow_any",
  ]);
  expect(outbound(resources)).toEqual(["ratings", "reviews"]);
});

test("a listener may have a socket of its own", () => {
  const scope = aSidecarScope("default/s", {
    egress: [
      {
        port: 9080,
        protocol: "HTTP",
        bind: "127.0.0.1",
        captureMode: CaptureMode.NONE,
        hosts: [`*/${ratings}`],
      },
    ],
  });
  const listener = decoded({ ...bookinfo, sidecarScopes: [scope] }).listener("127.0.0.1_9080");
  expect(listener.bindToPort).toBeUndefined();
  expect(summariesOf(listener)).toEqual(["routes 9080"]);
});

test("a listener that gets a socket, or loses it, is another one", () => {
  // Envoy 1.40 crashes if one without a socket gets one, and two of one address are there never at once.
  const namesOf = (captureMode: CaptureMode) => {
    const egress = [
      { port: 9080, protocol: "HTTP", bind: "127.0.0.1", captureMode, hosts: [`*/${ratings}`] },
    ];
    const resources = decoded({ ...bookinfo, sidecarScopes: [aSidecarScope("default/s", { egress })] });
    return resources.names("listener").filter((name) => !name.startsWith("virtual"));
  };
  expect(namesOf(CaptureMode.NONE)).toEqual(["127.0.0.1_9080"]);
  expect(namesOf(CaptureMode.IPTABLES)).toEqual(["127.0.0.1_9080_unbound"]);
});

test("unknown destinations are refused where the Sidecar says so", () => {
  const scope = aSidecarScope("default/s", { outboundPolicy: OutboundPolicy.REGISTRY_ONLY });
  const resources = decoded({ ...bookinfo, sidecarScopes: [scope] });
  expect(resources.routes("9080").virtualHosts.at(-1)?.name).toBe("block_all");
  expect(summariesOf(resources.listener("virtualOutbound"))[1]).toBe("cluster BlackHoleCluster");
});

test("ingress listeners stand instead of the services' ports", () => {
  const scope = aSidecarScope("default/s", {
    ingress: [
      {
        port: 7070,
        protocol: "HTTP",
        defaultEndpoint: "127.0.0.1:8080",
        connectionPool: { maxConnections: 3 },
      },
      { port: 7071, protocol: "TCP", defaultEndpoint: "unix:///run/app.sock" },
      { port: 7072, protocol: "TCP" },
    ],
  });
  const proxy = aProxy({ id: "sidecar~10.244.1.1~reviews-v1.default~default.svc.cluster.local" });
  const resources = decoded({ ...bookinfo, sidecarScopes: [scope] }, proxy);
  expect(resources.names("cluster").filter((name) => name.startsWith("inbound|"))).toEqual([
    "inbound|7070||",
    "inbound|7071||",
    "inbound|7072||",
  ]);
  const http = resources.cluster("inbound|7070||");
  expect(http.clusterDiscoveryType.value).toBe(DiscoveryType.STATIC);
  expect(http.circuitBreakers?.thresholds[0]?.maxConnections).toBe(3);
  expect(
    resources.cluster("inbound|7071||").loadAssignment?.endpoints[0]?.lbEndpoints[0]?.hostIdentifier.value,
  ).toMatchObject({
    address: { address: { case: "pipe", value: { path: "/run/app.sock" } } },
  });
  expect(resources.cluster("inbound|7072||").clusterDiscoveryType.value).toBe(DiscoveryType.ORIGINAL_DST);
});

test("an ingress listener with a socket has the workload's own address, beside listeners for its calls", () => {
  const scope = aSidecarScope("default/s", {
    ingress: [
      {
        port: 9080,
        protocol: "HTTP",
        captureMode: CaptureMode.NONE,
        defaultEndpoint: "127.0.0.1:9080",
      },
    ],
  });
  const resources = decoded({ ...bookinfo, sidecarScopes: [scope] });
  expect(resources.names("listener")).toEqual(expect.arrayContaining(["10.244.0.2_9080", "0.0.0.0_9080"]));
  expect(resources.listener("10.244.0.2_9080").address?.address.value).toMatchObject({
    address: "10.244.0.2",
  });
  expect(resources.listener("0.0.0.0_9080").bindToPort).toBe(false);
});

test("an endpoint of 0.0.0.0 is the workload's own address", () => {
  const scope = aSidecarScope("default/s", {
    ingress: [{ port: 7070, protocol: "HTTP", defaultEndpoint: "0.0.0.0:8080" }],
  });
  const { loadAssignment } = decoded({ sidecarScopes: [scope] }).cluster("inbound|7070||");
  expect(loadAssignment?.endpoints[0]?.lbEndpoints[0]?.hostIdentifier.value).toMatchObject({
    address: { address: { value: { address: "10.244.0.2", portSpecifier: { value: 8080 } } } },
  });
});
