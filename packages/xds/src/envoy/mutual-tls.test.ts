import { ProxyProtocolUpstreamTransportSchema } from "@envoyproxy/xds-protos/envoy/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol_pb.js";
import type { SdsSecretConfig } from "@envoyproxy/xds-protos/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import {
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from "@envoyproxy/xds-protos/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { ApplicationProtocol as Protocol } from "@keelson/protos/policy";
import { type ClientTlsSchema, ClientTls_Mode as Mode } from "@keelson/protos/traffic-policy";
import { expect, test } from "vitest";
import { aHostPolicy, aMesh, anEndpointSet, aService } from "./testing/builders.ts";
import { decoded, summaryOf, typedConfigOf } from "./testing/decoded.ts";
import { aProxy, withAgent } from "./testing/proxies.ts";
import type { Init } from "./wire.ts";

const host = "a.default.svc.cluster.local";
const cluster = `outbound|80||${host}`;
const identity = "spiffe://cluster.local/ns/default/sa/a";
const service = aService("a", {
  identities: [identity],
  ports: [{ port: 80, applicationProtocol: Protocol.HTTP }],
});
const mesh = {
  services: [service],
  endpointSets: [
    anEndpointSet(cluster, [
      { address: "10.244.0.9", port: 8080, mutualTls: true },
      { address: "10.244.0.10", port: 8080 },
    ]),
  ],
};
const agent = aProxy({ metadata: withAgent });

const secret = (config: SdsSecretConfig | undefined): [string | undefined, string | undefined] => {
  const source = config?.sdsConfig?.configSourceSpecifier;
  const grpc = source?.case === "apiConfigSource" ? source.value.grpcServices[0]?.targetSpecifier : undefined;
  return [config?.name, grpc?.case === "envoyGrpc" ? grpc.value.clusterName : source?.case];
};

const withTls = (tls: Init<typeof ClientTlsSchema>, proxy = agent) =>
  decoded(
    {
      ...mesh,
      hostPolicies: [aHostPolicy("DestinationRule/default/a", { hostname: host, policy: { tls } })],
    },
    proxy,
  ).cluster(cluster);

test("automatic mutual TLS is chosen by what each endpoint takes", () => {
  const resources = decoded(mesh, agent);
  const { transportSocketMatches } = resources.cluster(cluster);
  expect(transportSocketMatches.map(({ name, match }) => [name, match])).toEqual([
    ["tlsMode-istio", { tlsMode: "istio" }],
    ["tlsMode-disabled", {}],
  ]);
  const context = typedConfigOf(UpstreamTlsContextSchema, transportSocketMatches[0]?.transportSocket);
  expect(context.sni).toBe(`outbound_.80_._.${host}`);
  const common = context.commonTlsContext;
  expect(common?.alpnProtocols).toEqual(["istio"]);
  expect(secret(common?.tlsCertificateSdsSecretConfigs[0])).toEqual(["default", "sds-grpc"]);
  expect(common?.validationContextType).toMatchObject({
    case: "combinedValidationContext",
    value: {
      defaultValidationContext: {
        matchTypedSubjectAltNames: [{ matcher: { matchPattern: { value: identity } } }],
      },
      validationContextSdsSecretConfig: { name: "ROOTCA" },
    },
  });
  const [first, second] = resources.endpoints(cluster).endpoints[0]?.lbEndpoints ?? [];
  expect(first?.metadata?.filterMetadata["envoy.transport_socket_match"]).toEqual({ tlsMode: "istio" });
  expect(second?.metadata).toBeUndefined();
});

test("without an agent a proxy has no certificate and speaks in clear", () => {
  const { transportSocketMatches, transportSocket } = decoded(mesh).cluster(cluster);
  expect([transportSocketMatches, transportSocket]).toEqual([[], undefined]);
});

test("nothing is encrypted of itself where the mesh says so, nor outside it", () => {
  const off = decoded({ ...mesh, mesh: aMesh({ enableAutoMtls: false }) }, agent).cluster(cluster);
  expect(off.transportSocketMatches).toEqual([]);
  const outside = aService("a", { ...service, addresses: [], meshExternal: true } as never);
  expect(decoded({ services: [outside] }, agent).cluster(cluster).transportSocketMatches).toEqual([]);
});

test("ISTIO_MUTUAL is for every endpoint", () => {
  const { transportSocket, transportSocketMatches } = withTls({
    mode: Mode.ISTIO_MUTUAL,
    sni: "own.sni",
    subjectAltNames: ["spiffe://x"],
  });
  expect(transportSocketMatches).toEqual([]);
  const context = typedConfigOf(UpstreamTlsContextSchema, transportSocket);
  expect(context.sni).toBe("own.sni");
  expect(context.commonTlsContext?.validationContextType.value).toMatchObject({
    defaultValidationContext: {
      matchTypedSubjectAltNames: [{ matcher: { matchPattern: { value: "spiffe://x" } } }],
    },
  });
});

test("a proxy without an agent asks the control plane for the certificates that a rule demands", () => {
  const context = typedConfigOf(
    UpstreamTlsContextSchema,
    withTls({ mode: Mode.ISTIO_MUTUAL }, aProxy()).transportSocket,
  );
  expect(secret(context.commonTlsContext?.tlsCertificateSdsSecretConfigs[0])).toEqual(["default", "ads"]);
});

test("DISABLE also turns automatic mutual TLS off", () => {
  const { transportSocket, transportSocketMatches } = withTls({ mode: Mode.DISABLE });
  expect([transportSocket, transportSocketMatches]).toEqual([undefined, []]);
});

test("SIMPLE verifies by the system's roots and the request's host, unless the rule says otherwise", () => {
  const plain = withTls({ mode: Mode.SIMPLE });
  const common = typedConfigOf(UpstreamTlsContextSchema, plain.transportSocket).commonTlsContext;
  expect(common?.validationContextType.value).toMatchObject({
    validationContextSdsSecretConfig: { name: "file-root:system" },
  });
  expect(Object.keys(plain.typedExtensionProtocolOptions)).toHaveLength(1);
  const trusting = withTls({ mode: Mode.SIMPLE, sni: "a", insecureSkipVerify: true });
  expect(
    typedConfigOf(UpstreamTlsContextSchema, trusting.transportSocket).commonTlsContext?.validationContextType
      .case,
  ).toBe("validationContext");
});

test("MUTUAL takes its certificate from files through the agent, or from a named credential through the control plane", () => {
  const files = withTls({
    mode: Mode.MUTUAL,
    clientCertificate: "/c.pem",
    privateKey: "/k.pem",
    caCertificates: "/ca.pem",
  });
  const byFile = typedConfigOf(UpstreamTlsContextSchema, files.transportSocket).commonTlsContext;
  expect(secret(byFile?.tlsCertificateSdsSecretConfigs[0])).toEqual(["file-cert:/c.pem~/k.pem", "sds-grpc"]);
  const named = withTls({ mode: Mode.MUTUAL, credentialName: "client" });
  const byName = typedConfigOf(UpstreamTlsContextSchema, named.transportSocket).commonTlsContext;
  expect(secret(byName?.tlsCertificateSdsSecretConfigs[0])).toEqual(["kubernetes://client", "ads"]);
  expect(byName?.validationContextType.value).toMatchObject({
    validationContextSdsSecretConfig: { name: "kubernetes://client-cacert" },
  });
});

test("the PROXY protocol goes before whatever is spoken", () => {
  const policy = aHostPolicy("DestinationRule/default/a", {
    hostname: host,
    policy: { tls: { mode: Mode.DISABLE }, proxyProtocol: 2 },
  });
  const { transportSocket } = decoded({ ...mesh, hostPolicies: [policy] }, agent).cluster(cluster);
  const wrapped = typedConfigOf(ProxyProtocolUpstreamTransportSchema, transportSocket);
  expect(wrapped.config?.version).toBe(1);
  expect(wrapped.transportSocket?.name).toBe("envoy.transport_sockets.raw_buffer");
});

test("a sidecar with an agent takes mutual TLS and clear text alike", () => {
  const proxy = aProxy({
    id: "sidecar~10.244.0.9~a-1.default~default.svc.cluster.local",
    metadata: withAgent,
  });
  const listener = decoded(mesh, proxy).listener("virtualInbound");
  const chains = listener.filterChains.filter(
    ({ filterChainMatch }) => filterChainMatch?.destinationPort === 8080,
  );
  expect(
    chains.map((chain) => [
      chain.filterChainMatch?.transportProtocol,
      chain.filterChainMatch?.applicationProtocols.length,
      chain.transportSocket !== undefined,
      summaryOf(chain),
    ]),
  ).toEqual([
    ["tls", 5, true, "inline inbound|8080||"],
    ["raw_buffer", 0, false, "inline inbound|8080||"],
  ]);
  const context = typedConfigOf(DownstreamTlsContextSchema, chains[0]?.transportSocket);
  expect(context.requireClientCertificate).toBe(true);
  expect(listener.listenerFilters.map(({ name }) => name)).toContain("envoy.filters.listener.tls_inspector");
});
