import type { Listener } from "@envoyproxy/xds-protos/envoy/config/listener/v3/listener_pb.js";
import { HttpConnectionManagerSchema } from "@envoyproxy/xds-protos/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { DownstreamTlsContextSchema } from "@envoyproxy/xds-protos/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { MutualTls } from "@keelson/protos/proxy";
import { expect, test } from "vitest";
import { aPeerAuthentication, aWorkload } from "../envoy/testing/builders.ts";
import { typedConfigOf } from "../envoy/testing/decoded.ts";
import { envoyTypeUrls } from "../envoy/type-urls.ts";
import { aProcess, decoded, echoMesh } from "./testing/grpc-world.ts";

const prefix = "xds.istio.io/grpc/lds/inbound/";
const server = aProcess({ id: "sidecar~10.244.1.1~echo-v1.default~default.svc.cluster.local" });

/** Of its only chain. */
function summaryOf({ filterChains }: Listener) {
  const [chain, ...others] = filterChains;
  expect(others).toEqual([]);
  const manager = typedConfigOf(HttpConnectionManagerSchema, chain?.filters[0]);
  return { chain: chain?.name, transportSocket: chain?.transportSocket, manager };
}

test.for(["10.244.1.1:17070", "0.0.0.0:17070", "[::]:17070"])(
  "a server on %s, a port that a service leads to, has a listener for the address that it asks for",
  (address) => {
    const listener = decoded(echoMesh, server).listener(`${prefix}${address}`);
    const [, host] = /^\[?(.*?)\]?:17070$/.exec(address) ?? [];
    expect(listener).toMatchObject({
      name: `${prefix}${address}`,
      address: { address: { value: { address: host, portSpecifier: { value: 17070 } } } },
      listenerFilters: [],
    });
    expect(listener.useOriginalDst).toBeUndefined();
    const { chain, manager } = summaryOf(listener);
    expect(chain).toBe("inbound-plaintext");
    expect(manager.routeSpecifier).toMatchObject({
      case: "routeConfig",
      value: {
        name: "inbound",
        virtualHosts: [{ domains: ["*"], routes: [{ action: { case: "nonForwardingAction" } }] }],
      },
    });
    expect(manager.httpFilters.map(({ name }) => name)).toEqual(["envoy.filters.http.router"]);
  },
);

test.for(["10.244.1.1:17071", "10.244.1.1:7070", "10.244.1.1", ""])(
  "a server on '%s', where no service leads, has none",
  (address) => {
    const { view } = decoded(echoMesh, server);
    expect(view.lookup(envoyTypeUrls.listener, `${prefix}${address}`)).toBeUndefined();
  },
);

test("the ports of other workloads are not a server's own", () => {
  const other = aProcess({ id: "sidecar~10.244.1.9~other.default~default.svc.cluster.local" });
  const { view } = decoded(echoMesh, other);
  expect(view.lookup(envoyTypeUrls.listener, `${prefix}0.0.0.0:17070`)).toBeUndefined();
});

test("a server whose callers are told that it takes mutual TLS takes nothing else", () => {
  const labels = [{ key: "security.istio.io/tlsMode", value: "istio" }];
  const mesh = { ...echoMesh, workloads: [aWorkload("default/echo-v1", { labels })] };
  const { chain, transportSocket } = summaryOf(decoded(mesh, server).listener(`${prefix}0.0.0.0:17070`));
  expect(chain).toBe("inbound-mtls");
  expect(typedConfigOf(DownstreamTlsContextSchema, transportSocket)).toMatchObject({
    requireClientCertificate: true,
    commonTlsContext: {
      tlsCertificateProviderInstance: { instanceName: "default", certificateName: "default" },
      validationContextType: { value: { defaultValidationContext: { matchSubjectAltNames: [] } } },
    },
  });
});

test.for([
  [MutualTls.STRICT, false, "inbound-mtls"],
  [MutualTls.DISABLE, true, "inbound-plaintext"],
  [MutualTls.PERMISSIVE, false, "inbound-plaintext"],
  [MutualTls.PERMISSIVE, true, "inbound-mtls"],
] as const)("of mode %s, told to callers: %s, the chain is %s", ([mode, isTold, expected]) => {
  const labels = isTold ? [{ key: "security.istio.io/tlsMode", value: "istio" }] : [];
  const mesh = {
    ...echoMesh,
    workloads: [aWorkload("default/echo-v1", { labels })],
    peerAuthentications: [aPeerAuthentication("default/all", { mode })],
  };
  expect(summaryOf(decoded(mesh, server).listener(`${prefix}0.0.0.0:17070`)).chain).toBe(expected);
});

test("a port may have a mode of its own", () => {
  const portModes = { 17070: MutualTls.DISABLE };
  const workloadLabels = { app: "echo" };
  const policy = aPeerAuthentication("default/echo", { mode: MutualTls.STRICT, workloadLabels, portModes });
  const workloads = [aWorkload("default/echo-v1", { labels: [{ key: "app", value: "echo" }] })];
  const mesh = { ...echoMesh, workloads, peerAuthentications: [policy] };
  expect(summaryOf(decoded(mesh, server).listener(`${prefix}0.0.0.0:17070`)).chain).toBe("inbound-plaintext");
});

test("labels of the process itself count until its pod is known", () => {
  const labelled = aProcess({
    id: "sidecar~10.244.1.1~echo-v1.default~default.svc.cluster.local",
    metadata: { LABELS: { "security.istio.io/tlsMode": "istio" } },
  });
  const listener = (mesh: typeof echoMesh) => decoded(mesh, labelled).listener(`${prefix}0.0.0.0:17070`);
  expect(summaryOf(listener(echoMesh)).chain).toBe("inbound-mtls");
  const known = { ...echoMesh, workloads: [aWorkload("default/echo-v1")] };
  expect(summaryOf(listener(known)).chain).toBe("inbound-plaintext");
});
