import type { TransportSocketSchema } from "@envoyproxy/xds-protos/envoy/config/core/v3/base_pb.js";
import {
  SubjectAltNameMatcher_SanType as SanType,
  TlsParameters_TlsProtocol as TlsProtocol,
} from "@envoyproxy/xds-protos/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import {
  type CommonTlsContextSchema,
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from "@envoyproxy/xds-protos/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import type { Mesh } from "@keelson/protos/proxy";
import { workloadCertificate, workloadRoots } from "../tls/secrets.ts";
import { verifiedBy } from "../tls/validation.ts";
import type { ProxyTraits } from "../traits.ts";
import { type Init, typedConfig } from "../wire.ts";

type TransportSocket = Init<typeof TransportSocketSchema>;

/** @param prefix of the SPIFFE id that the other end must show */
function tunnelTls(proxy: ProxyTraits, prefix: string): Init<typeof CommonTlsContextSchema> {
  return {
    alpnProtocols: ["h2"],
    tlsParams: {
      tlsMinimumProtocolVersion: TlsProtocol.TLSv1_3,
      tlsMaximumProtocolVersion: TlsProtocol.TLSv1_3,
    },
    tlsCertificateSdsSecretConfigs: [workloadCertificate(proxy)],
    validationContextType: verifiedBy(workloadRoots(proxy), {
      matchTypedSubjectAltNames: [
        { sanType: SanType.URI, matcher: { matchPattern: { case: "prefix", value: prefix } } },
      ],
    }),
  };
}

/** Ends a tunnel that any workload of the mesh may begin. */
export const tunnelServerSocket = (proxy: ProxyTraits, mesh: Mesh): TransportSocket => ({
  name: "envoy.transport_sockets.tls",
  configType: typedConfig(DownstreamTlsContextSchema, {
    commonTlsContext: tunnelTls(proxy, `spiffe://${mesh.trustDomain}/`),
    requireClientCertificate: true,
  }),
});

/** Begins a tunnel to a workload of the waypoint's own namespace. */
export const tunnelClientSocket = (proxy: ProxyTraits, mesh: Mesh): TransportSocket => ({
  name: "envoy.transport_sockets.tls",
  configType: typedConfig(UpstreamTlsContextSchema, {
    commonTlsContext: tunnelTls(proxy, `spiffe://${mesh.trustDomain}/ns/${proxy.namespace}/sa/`),
  }),
});
