import { HttpProtocolOptionsSchema } from "@envoyproxy/xds-protos/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";
import { ApplicationProtocol as Protocol } from "@keelson/protos/policy";
import { expect, test } from "vitest";
import { httpOptionsKey } from "./cluster/http-options.ts";
import { aService } from "./testing/builders.ts";
import { decoded, summariesOf, unpack } from "./testing/decoded.ts";

const service = (name: string, port: number, applicationProtocol: Protocol, addresses = ["10.96.0.5"]) =>
  aService(name, { addresses, ports: [{ port, applicationProtocol }] });

test("HTTP services of a port share a listener and its routes; other bytes pass through", () => {
  const resources = decoded({
    services: [service("a", 80, Protocol.HTTP), service("b", 80, Protocol.GRPC, ["10.96.0.6"])],
  });
  expect(resources.names("listener")).toContain("0.0.0.0_80");
  const listener = resources.listener("0.0.0.0_80");
  expect(listener.bindToPort).toBe(false);
  expect(summariesOf(listener)).toEqual(["routes 80", "cluster PassthroughCluster"]);
  expect(listener.filterChains[0]?.filterChainMatch).toMatchObject({
    applicationProtocols: ["http/1.1", "h2c"],
    transportProtocol: "raw_buffer",
  });
  expect(listener.defaultFilterChain?.name).toBe("PassthroughFilterChain");
  expect(listener.listenerFilters.map(({ name }) => name)).toEqual(["envoy.filters.listener.http_inspector"]);
});

test("a TCP service listens on its own address, without inspectors", () => {
  const listener = decoded({ services: [service("db", 5432, Protocol.TCP)] }).listener("10.96.0.5_5432");
  expect(summariesOf(listener)).toEqual(["cluster outbound|5432||db.default.svc.cluster.local"]);
  expect(listener.listenerFilters).toEqual([]);
});

test("a port that does not say is looked into, on the service's own address and with routes of its own", () => {
  const resources = decoded({ services: [service("any", 7000, Protocol.UNSPECIFIED)] });
  expect(summariesOf(resources.listener("10.96.0.5_7000"))).toEqual([
    "routes any.default.svc.cluster.local:7000",
    "cluster outbound|7000||any.default.svc.cluster.local",
  ]);
  expect(
    resources.routes("any.default.svc.cluster.local:7000").virtualHosts.map(({ domains }) => domains),
  ).toEqual([["*"]]);
});

test("TLS services without an address are told apart by server name", () => {
  const outside = (name: string) =>
    aService(name, {
      hostname: `${name}.example.com`,
      addresses: [],
      ports: [{ port: 443, applicationProtocol: Protocol.TLS }],
    });
  const listener = decoded({ services: [outside("a"), outside("b")] }).listener("0.0.0.0_443");
  expect(listener.filterChains.map(({ filterChainMatch }) => filterChainMatch?.serverNames)).toEqual([
    ["a.example.com"],
    ["b.example.com"],
  ]);
  expect(listener.listenerFilters.map(({ name }) => name)).toEqual(["envoy.filters.listener.tls_inspector"]);
});

test("a TLS service with an address needs no server name", () => {
  const listener = decoded({ services: [service("a", 443, Protocol.HTTPS)] }).listener("10.96.0.5_443");
  expect(listener.filterChains[0]?.filterChainMatch).toBeUndefined();
});

test("HTTP and TCP without an address on one port make a listener that looks", () => {
  const listener = decoded({
    services: [service("bytes", 80, Protocol.TCP, []), service("web", 80, Protocol.HTTP)],
  }).listener("0.0.0.0_80");
  expect(summariesOf(listener)).toEqual([
    "routes 80",
    "cluster outbound|80||bytes.default.svc.cluster.local",
  ]);
});

test("of two TCP services without an address on one port, the first is reached", () => {
  const listener = decoded({
    services: [service("a", 9000, Protocol.TCP, []), service("b", 9000, Protocol.TCP, [])],
  }).listener("0.0.0.0_9000");
  expect(summariesOf(listener)).toEqual(["cluster outbound|9000||a.default.svc.cluster.local"]);
});

test("a server that speaks first shares its port with nothing that must be looked at", () => {
  const listener = decoded({
    services: [service("a-mysql", 3306, Protocol.MYSQL, []), service("web", 3306, Protocol.HTTP)],
  }).listener("0.0.0.0_3306");
  expect(summariesOf(listener)).toEqual(["cluster outbound|3306||a-mysql.default.svc.cluster.local"]);
});

test("UDP ports have neither cluster nor listener", () => {
  const resources = decoded({ services: [service("dns", 53, Protocol.UDP)] });
  expect(resources.names("listener")).toEqual(["virtualOutbound", "virtualInbound"]);
  expect(resources.names("cluster").filter((name) => name.startsWith("outbound"))).toEqual([]);
});

test.each([
  [Protocol.HTTP2, "explicitHttpConfig", "http2ProtocolOptions"],
  [Protocol.GRPC, "explicitHttpConfig", "http2ProtocolOptions"],
  [Protocol.UNSPECIFIED, "useDownstreamProtocolConfig", undefined],
])("protocol %i is spoken to the service as %s", (protocol, config, inner) => {
  const cluster = decoded({ services: [service("a", 80, protocol)] }).cluster(
    "outbound|80||a.default.svc.cluster.local",
  );
  const options = unpack(HttpProtocolOptionsSchema, cluster.typedExtensionProtocolOptions[httpOptionsKey]);
  expect(options.upstreamProtocolOptions.case).toBe(config);
  if (inner !== undefined)
    expect(options.upstreamProtocolOptions.value).toMatchObject({ protocolConfig: { case: inner } });
});

test("HTTP/1.1 needs no options", () => {
  const cluster = decoded({ services: [service("a", 80, Protocol.HTTP)] }).cluster(
    "outbound|80||a.default.svc.cluster.local",
  );
  expect(cluster.typedExtensionProtocolOptions).toEqual({});
});
