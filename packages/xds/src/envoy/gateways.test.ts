import { VirtualHost_TlsRequirementType as TlsRequirement } from "@envoyproxy/xds-protos/envoy/config/route/v3/route_components_pb.js";
import { DownstreamTlsContextSchema } from "@envoyproxy/xds-protos/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { ApplicationProtocol as Protocol } from "@keelson/protos/policy";
import { type GatewayServerSchema, ServerTls_Mode as Mode } from "@keelson/protos/proxy";
import type { RouteTableSchema } from "@keelson/protos/route";
import { expect, test } from "vitest";
import { bookinfo, ratings, reviews } from "./testing/bookinfo.ts";
import { aGateway, anEndpointSet, aRouteTable, aService } from "./testing/builders.ts";
import { actionOf, decoded, summariesOf, typedConfigOf } from "./testing/decoded.ts";
import { aProxy, withAgent } from "./testing/proxies.ts";
import { filtersOf } from "./testing/references.ts";
import type { Init } from "./wire.ts";

const router = aProxy({
  id: "router~10.0.0.1~gw.edge~edge.svc.cluster.local",
  metadata: { ...withAgent, LABELS: { gateway: "public" } },
});
const server = (init: Init<typeof GatewayServerSchema>) => ({
  port: 80,
  portName: "http",
  protocol: "HTTP",
  hosts: ["*/*"],
  ...init,
});
const table = (name: string, init: Init<typeof RouteTableSchema>) =>
  aRouteTable(`VirtualService/default/${name}`, { gateways: ["edge/gw"], hosts: ["*"], ...init });
const toReviews = [{ destinations: [{ hostname: reviews }] }];

const gatewayWith = (
  servers: Init<typeof GatewayServerSchema>[],
  routeTables: ReturnType<typeof table>[] = [table("r", { http: toReviews })],
  proxy = router,
) =>
  decoded(
    {
      ...bookinfo,
      gateways: [aGateway("edge/gw", { selector: { gateway: "public" }, servers: servers.map(server) })],
      routeTables,
    },
    proxy,
  );

test("a router has clusters for all services, and no listener without a Gateway for it", () => {
  const resources = decoded(bookinfo, router);
  expect(resources.names("cluster")).toEqual([
    `outbound|9080||${ratings}`,
    `outbound|9080||${reviews}`,
    "BlackHoleCluster",
  ]);
  expect(resources.names("listener")).toEqual([]);
  expect(
    gatewayWith([{}], [], aProxy({ id: router.id, metadata: { LABELS: { gateway: "other" } } })).names(
      "listener",
    ),
  ).toEqual([]);
});

test("plain HTTP servers of a port share routes; hosts are told apart by the tables", () => {
  const resources = gatewayWith(
    [{ hosts: ["*/a.example.com"] }, { hosts: ["*/b.example.com"] }],
    [
      table("a", { hosts: ["a.example.com", "c.example.com"], http: toReviews }),
      table("b", { hosts: ["*.example.com"], http: [{ directResponse: { status: 404 } }] }),
    ],
  );
  expect(summariesOf(resources.listener("0.0.0.0_80"))).toEqual(["routes http.80"]);
  expect(
    resources.routes("http.80").virtualHosts.map(({ domains, routes }) => [domains, routes.length]),
  ).toEqual([
    [["a.example.com"], 2],
    [["b.example.com"], 1],
  ]);
});

test("routes that take everything come after those of other tables", () => {
  const narrow = table("narrow", {
    http: [{ matches: [{ uri: { how: { case: "prefix", value: "/x" } } }], directResponse: { status: 404 } }],
  });
  const { routes } = gatewayWith([{}], [table("all", { http: toReviews }), narrow]).virtualHost(
    "http.80",
    "*:80",
  );
  expect(routes.map(({ action }) => action.case)).toEqual(["directResponse", "route"]);
});

test("hosts of one table are one virtual host", () => {
  const hosts = ["b.example.com", "a.example.com"];
  expect(
    gatewayWith([{}], [table("r", { hosts, http: toReviews })]).routes("http.80").virtualHosts,
  ).toMatchObject([{ name: "a.example.com:80", domains: ["a.example.com", "b.example.com"] }]);
});

test("a server's hosts may be for rules of some namespaces only", () => {
  const { virtualHosts } = gatewayWith(
    [{ hosts: ["shop/a.example.com"] }],
    [table("r", { http: toReviews })],
  ).routes("http.80");
  expect(virtualHosts).toMatchObject([{ name: "blackhole:80", domains: ["*"], routes: [] }]);
});

test("a server may send everyone to https", () => {
  const { virtualHosts } = gatewayWith(
    [{ hosts: ["*/a.example.com"], tls: { httpsRedirect: true } }],
    [],
  ).routes("http.80");
  expect(virtualHosts).toMatchObject([{ domains: ["a.example.com"], requireTls: TlsRequirement.ALL }]);
});

test("each https server has a chain and routes of its own", () => {
  const resources = gatewayWith([
    {
      port: 443,
      portName: "https-a",
      protocol: "HTTPS",
      hosts: ["*/a.example.com"],
      tls: { mode: Mode.SIMPLE, credentialNames: ["a-cert"] },
    },
    {
      port: 443,
      portName: "https-b",
      protocol: "HTTPS",
      hosts: ["*/b.example.com"],
      tls: { mode: Mode.MUTUAL, credentialNames: ["b-cert"], minProtocolVersion: "TLSV1_3" },
    },
  ]);
  const { filterChains, listenerFilters } = resources.listener("0.0.0.0_443");
  expect(filterChains.map(({ filterChainMatch }) => filterChainMatch?.serverNames)).toEqual([
    ["a.example.com"],
    ["b.example.com"],
  ]);
  expect(listenerFilters.map(({ name }) => name)).toEqual(["envoy.filters.listener.tls_inspector"]);
  expect(resources.names("route")).toEqual(["https.443.https-a.gw.edge", "https.443.https-b.gw.edge"]);
  const [simple, mutual] = filterChains.map(({ transportSocket }) =>
    typedConfigOf(DownstreamTlsContextSchema, transportSocket),
  );
  expect(simple?.commonTlsContext?.tlsCertificateSdsSecretConfigs[0]?.name).toBe("kubernetes://a-cert");
  expect(simple?.requireClientCertificate).toBe(false);
  expect(mutual?.requireClientCertificate).toBe(true);
  expect(mutual?.commonTlsContext?.tlsParams?.tlsMinimumProtocolVersion).toBe(4);
  expect(mutual?.commonTlsContext?.validationContextType.value).toMatchObject({
    validationContextSdsSecretConfig: { name: "kubernetes://b-cert-cacert" },
  });
});

test("TLS is passed on by its server name", () => {
  const tls = [{ matches: [{ sniHosts: ["a.example.com"] }], destinations: [{ hostname: reviews }] }];
  const resources = gatewayWith(
    [
      {
        port: 9443,
        portName: "tls",
        protocol: "TLS",
        hosts: ["*/*.example.com"],
        tls: { mode: Mode.PASSTHROUGH },
      },
    ],
    [table("r", { hosts: ["a.example.com"], tls })],
  );
  const [chain] = resources.listener("0.0.0.0_9443").filterChains;
  expect(chain?.filterChainMatch?.serverNames).toEqual(["a.example.com"]);
  expect(chain?.transportSocket).toBeUndefined();
  expect(summariesOf(resources.listener("0.0.0.0_9443"))).toEqual([`cluster outbound|9080||${reviews}`]);
});

test("mutual TLS of the mesh is passed on to the cluster that its server name is, and to nobody who takes clear text", () => {
  const service = aService("a", { ports: [{ port: 80, applicationProtocol: Protocol.HTTP }] });
  const endpointSets = [
    anEndpointSet("outbound|80||a.default.svc.cluster.local", [
      { address: "10.244.0.1", mutualTls: true },
      { address: "10.244.0.2" },
    ]),
  ];
  const servers = [
    server({
      port: 15443,
      portName: "tls",
      protocol: "TLS",
      hosts: ["*/*.local"],
      tls: { mode: Mode.AUTO_PASSTHROUGH },
    }),
  ];
  const resources = decoded(
    { services: [service], endpointSets, gateways: [aGateway("edge/gw", { servers })] },
    router,
  );
  const cluster = "outbound_.80_._.a.default.svc.cluster.local";
  const { transportSocket, transportSocketMatches } = resources.cluster(cluster);
  expect([transportSocket, transportSocketMatches]).toEqual([undefined, []]);
  expect(resources.endpoints(cluster).endpoints[0]?.lbEndpoints).toHaveLength(1);
  expect(
    resources.endpoints("outbound|80||a.default.svc.cluster.local").endpoints[0]?.lbEndpoints,
  ).toHaveLength(2);
  const [chain] = resources.listener("0.0.0.0_15443").filterChains;
  expect(chain?.filterChainMatch?.serverNames).toEqual([cluster]);
  expect(summariesOf(resources.listener("0.0.0.0_15443"))).toEqual([`cluster ${cluster}`]);
});

test("TCP servers go where the first rule says, and have no listener without one", () => {
  const tcp = [
    {
      destinations: [
        { hostname: reviews, weight: 1 },
        { hostname: ratings, weight: 3 },
      ],
    },
  ];
  const servers = [{ port: 31400, portName: "tcp", protocol: "TCP" }];
  expect(summariesOf(gatewayWith(servers, [table("r", { tcp })]).listener("0.0.0.0_31400"))).toEqual([
    `clusters outbound|9080||${reviews}=1 outbound|9080||${ratings}=3`,
  ]);
  expect(gatewayWith(servers, []).names("listener")).toEqual([]);
});

test("a Gateway's port is the gateway Service's: the workload's own is listened on", () => {
  const gateway = aService("gw.edge", { ports: [{ port: 80, applicationProtocol: Protocol.HTTP }] });
  const endpointSets = [
    anEndpointSet("outbound|80||gw.edge.svc.cluster.local", [{ address: "10.0.0.1", port: 8080 }]),
  ];
  const resources = decoded(
    { services: [gateway], endpointSets, gateways: [aGateway("edge/gw", { servers: [server({})] })] },
    router,
  );
  expect(resources.names("listener")).toEqual(["0.0.0.0_8080"]);
  expect(resources.names("route")).toEqual(["http.8080"]);
});

test("servers of different kinds on one address: the first counts", () => {
  expect(summariesOf(gatewayWith([{}, { protocol: "TCP", portName: "tcp" }]).listener("0.0.0.0_80"))).toEqual(
    ["routes http.80"],
  );
});

test("callers from outside are known by their own address, and cannot claim certificates", () => {
  const [chain] = gatewayWith([{}]).listener("0.0.0.0_80").filterChains;
  const [manager] = chain === undefined ? [] : filtersOf(chain).managers;
  expect(manager).toMatchObject({
    useRemoteAddress: true,
    forwardClientCertDetails: 3,
    serverName: "istio-envoy",
  });
});

test("matches may be for one gateway only", () => {
  const http = [
    { matches: [{ gateways: ["mesh"] }], directResponse: { status: 404 } },
    { matches: [{ gateways: ["edge/gw"] }], destinations: [{ hostname: reviews }] },
  ];
  const { routes } = gatewayWith([{}], [table("r", { gateways: ["edge/gw", "mesh"], http })]).virtualHost(
    "http.80",
    "*:80",
  );
  expect(routes.map((route) => actionOf(route).clusterSpecifier.value)).toEqual([
    `outbound|9080||${reviews}`,
  ]);
});
