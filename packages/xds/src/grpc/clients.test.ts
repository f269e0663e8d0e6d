import {
  Cluster_DiscoveryType as DiscoveryType,
  Cluster_LbPolicy as LbPolicy,
} from "@envoyproxy/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { HttpConnectionManagerSchema } from "@envoyproxy/xds-protos/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { UpstreamTlsContextSchema } from "@envoyproxy/xds-protos/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { ApplicationProtocol as Protocol, Resolution } from "@keelson/protos/policy";
import { LoadBalancer_Simple as Simple, ClientTls_Mode as TlsMode } from "@keelson/protos/traffic-policy";
import { expect, test } from "vitest";
import { aHostPolicy, anEndpointSet, aService } from "../envoy/testing/builders.ts";
import { typedConfigOf, unpack } from "../envoy/testing/decoded.ts";
import { envoyTypeUrls } from "../envoy/type-urls.ts";
import { aProcess, decoded, echo, echoMesh } from "./testing/grpc-world.ts";

const cluster = `outbound|7070||${echo}`;

/** A mesh with a DestinationRule. */
const withPolicy = (policy: Parameters<typeof aHostPolicy>[1]) => ({
  ...echoMesh,
  hostPolicies: [aHostPolicy("DestinationRule/default/echo", { hostname: echo, ...policy })],
});

test.for([`${echo}:7070`, "echo:7070", "echo.default:7070", "echo.default.svc:7070", "echo"])(
  "a client's listener is named %s if it asks for that, and leads to the routes of the service's port",
  (name) => {
    const listener = decoded().listener(name);
    expect(listener).toMatchObject({
      name,
      address: { address: { value: { address: "10.96.0.1", portSpecifier: { value: 7070 } } } },
      filterChains: [],
    });
    const manager = unpack(HttpConnectionManagerSchema, listener.apiListener?.apiListener);
    expect(manager.routeSpecifier).toMatchObject({ case: "rds", value: { routeConfigName: cluster } });
    expect(manager.httpFilters.map((filter) => filter.name)).toEqual([
      "envoy.filters.http.fault",
      "envoy.filters.http.router",
    ]);
  },
);

test.for(["ping:7070", "echo:7071", "echo.other:7070", ""])("there is no listener %s", (name) => {
  expect(decoded().view.lookup(envoyTypeUrls.listener, name)).toBeUndefined();
});

test("a name without a port is nobody's where a service has several", () => {
  const ports = [7070, 7071].map((port) => ({ port, name: `g${port}`, applicationProtocol: Protocol.GRPC }));
  const { view } = decoded({ services: [aService("echo", { ports })] });
  expect(view.lookup(envoyTypeUrls.listener, "echo")).toBeUndefined();
  expect(view.lookup(envoyTypeUrls.listener, "echo:7071")).toBeDefined();
});

test("a service that its namespace cannot see is as if it were not there", () => {
  const [service] = echoMesh.services ?? [];
  const hidden = service && { ...service, exportedTo: ["shop"] };
  const { view } = decoded({ ...echoMesh, services: hidden ? [hidden] : [] });
  expect(view.lookup(envoyTypeUrls.listener, `${echo}:7070`)).toBeUndefined();
  expect(view.lookup(envoyTypeUrls.cluster, cluster)).toBeUndefined();
});

test("clusters are found by EDS, whatever an Envoy would do", () => {
  const [service] = echoMesh.services ?? [];
  const headless = service && { ...service, resolution: Resolution.PASSTHROUGH, addresses: [] };
  const mesh = { ...echoMesh, services: headless ? [headless] : [] };
  expect(decoded(mesh).cluster(cluster)).toMatchObject({
    clusterDiscoveryType: { value: DiscoveryType.EDS },
    edsClusterConfig: { serviceName: cluster },
    lbPolicy: LbPolicy.ROUND_ROBIN,
  });
  expect(decoded(mesh).cluster(cluster).transportSocket).toBeUndefined();
  expect(decoded(mesh).endpoints(cluster).endpoints).toMatchObject([
    { locality: {}, lbEndpoints: [{ loadBalancingWeight: 1 }, {}] },
  ]);
});

test("there are clusters for services and subsets, and no others", () => {
  const mesh = withPolicy({ subsets: [{ name: "first", labels: { version: "v1" } }] });
  expect(decoded(mesh).names("cluster")).toEqual([cluster, `outbound|7070|first|${echo}`]);
});

const dns = (endpoints: Parameters<typeof anEndpointSet>[1]) => ({
  services: [
    aService("echo", {
      resolution: Resolution.DNS,
      ports: [{ port: 7070, applicationProtocol: Protocol.GRPC }],
    }),
  ],
  endpointSets: [anEndpointSet(cluster, endpoints)],
});

test.for([
  ["the name of its endpoint", [{ hostname: "example.org", port: 443 }], "example.org", 443],
  ["its own name", [], echo, 7070],
] as const)(
  "a service that is looked up by one name has a cluster for %s",
  ([, endpoints, address, port]) => {
    const made = decoded(dns(endpoints)).cluster(cluster);
    expect(made.clusterDiscoveryType.value).toBe(DiscoveryType.LOGICAL_DNS);
    const socket = { address: { value: { address, portSpecifier: { value: port } } } };
    expect(made.loadAssignment?.endpoints).toMatchObject([
      { lbEndpoints: [{ hostIdentifier: { value: { address: socket } } }] },
    ]);
    expect(decoded(dns(endpoints)).names("endpoint")).toEqual([]);
  },
);

test("of a service that is looked up in turns the first name counts", () => {
  const mesh = dns([{ hostname: "a.test" }, { hostname: "b.test" }]);
  const [service] = mesh.services;
  const inTurns = service && { ...service, resolution: Resolution.DNS_ROUND_ROBIN };
  const made = decoded({ ...mesh, services: inTurns ? [inTurns] : [] }).cluster(cluster);
  expect(made.loadAssignment?.endpoints[0]?.lbEndpoints).toHaveLength(1);
});

test("of several names gRPC looks up none, and gets the addresses beside them", () => {
  const mesh = dns([{ hostname: "example.org" }, { address: "10.9.9.9" }]);
  expect(decoded(mesh).cluster(cluster).clusterDiscoveryType.value).toBe(DiscoveryType.EDS);
  expect(decoded(mesh).endpoints(cluster).endpoints[0]?.lbEndpoints).toHaveLength(1);
});

test.for([
  ["least request", { simple: Simple.LEAST_REQUEST, warmupMs: 1000n }, LbPolicy.LEAST_REQUEST],
  ["round robin", { simple: Simple.ROUND_ROBIN, warmupMs: 1000n }, LbPolicy.ROUND_ROBIN],
  ["random choice, which gRPC lacks,", { simple: Simple.RANDOM }, LbPolicy.ROUND_ROBIN],
  ["passing through, which gRPC cannot,", { simple: Simple.PASSTHROUGH }, LbPolicy.ROUND_ROBIN],
  ["a ring of hashes", { consistentHash: { minimumRingSize: 64n } }, LbPolicy.RING_HASH],
  ["Maglev, which gRPC lacks,", { consistentHash: { maglevTableSize: 251n } }, LbPolicy.RING_HASH],
] as const)("a rule for %s gives a policy that gRPC takes", ([, loadBalancer, expected]) => {
  const { lbPolicy, lbConfig } = decoded(withPolicy({ policy: { loadBalancer } })).cluster(cluster);
  expect(lbPolicy).toBe(expected);
  expect(lbConfig.case).toBe(expected === LbPolicy.RING_HASH ? "ringHashLbConfig" : undefined);
});

test("of a connection pool's limits gRPC gets the one that it knows", () => {
  const connectionPool = { maxConnections: 3, http2MaxRequests: 9, maxRequestsPerConnection: 2 };
  const made = decoded(withPolicy({ policy: { connectionPool } })).cluster(cluster);
  const [thresholds] = made.circuitBreakers?.thresholds ?? [];
  expect([thresholds?.maxRequests, thresholds?.maxConnections]).toEqual([9, undefined]);
  expect(made.typedExtensionProtocolOptions).toEqual({});
});

test("mutual TLS is used where a rule demands it, with the provider of the bootstrap", () => {
  const mesh = withPolicy({ policy: { tls: { mode: TlsMode.ISTIO_MUTUAL } } });
  const [service] = mesh.services ?? [];
  const identities = ["spiffe://cluster.local/ns/default/sa/echo"];
  const made = decoded({ ...mesh, services: service ? [{ ...service, identities }] : [] }).cluster(cluster);
  expect(made.transportSocket?.name).toBe("envoy.transport_sockets.tls");
  const { commonTlsContext } = typedConfigOf(UpstreamTlsContextSchema, made.transportSocket);
  expect(commonTlsContext).toMatchObject({
    tlsCertificateProviderInstance: { instanceName: "default", certificateName: "default" },
    validationContextType: {
      value: {
        defaultValidationContext: {
          caCertificateProviderInstance: { instanceName: "default", certificateName: "ROOTCA" },
          matchSubjectAltNames: identities.map((value) => ({ matchPattern: { case: "exact", value } })),
        },
      },
    },
  });
});

test.for([TlsMode.DISABLE, TlsMode.SIMPLE, TlsMode.MUTUAL])(
  "TLS of mode %s is left to the process",
  (mode) => {
    const mesh = withPolicy({ policy: { tls: { mode } } });
    expect(decoded(mesh).cluster(cluster).transportSocket).toBeUndefined();
  },
);

test("a process gets no name table", () => {
  expect(decoded(echoMesh, aProcess()).names("nameTable")).toEqual([]);
});
