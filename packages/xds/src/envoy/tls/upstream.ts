import type { TransportSocketSchema } from "@envoyproxy/xds-protos/envoy/config/core/v3/base_pb.js";
import { TlsParameters_TlsProtocol as TlsProtocol } from "@envoyproxy/xds-protos/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import {
  type CommonTlsContextSchema,
  UpstreamTlsContextSchema,
} from "@envoyproxy/xds-protos/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { type ClientTls, ClientTls_Mode as Mode } from "@keelson/protos/traffic-policy";
import type { ProxyTraits } from "../traits.ts";
import { type Init, typedConfig } from "../wire.ts";
import {
  certificateFiles,
  credential,
  credentialRoots,
  rootsFile,
  workloadCertificate,
  workloadRoots,
} from "./secrets.ts";
import { matchNames, verifiedBy } from "./validation.ts";

type TransportSocket = Init<typeof TransportSocketSchema>;
type CommonTlsContext = Init<typeof CommonTlsContextSchema>;

const versions = {
  tlsMinimumProtocolVersion: TlsProtocol.TLSv1_2,
  tlsMaximumProtocolVersion: TlsProtocol.TLSv1_3,
};

const tlsSocket = (commonTlsContext: CommonTlsContext, sni: string): TransportSocket => ({
  name: "envoy.transport_sockets.tls",
  configType: typedConfig(UpstreamTlsContextSchema, { commonTlsContext, sni }),
});

/** Mutual TLS of the mesh. @param names SPIFFE ids or DNS names of which the server must show one. */
export function meshSocket(
  proxy: ProxyTraits,
  { sni, names, http2 }: { sni: string; names: readonly string[]; http2: boolean },
): TransportSocket {
  const common: CommonTlsContext = {
    tlsParams: versions,
    tlsCertificateSdsSecretConfigs: [workloadCertificate(proxy)],
    validationContextType: verifiedBy(workloadRoots(proxy), matchNames(names)),
    // The server's sidecar tells its own kind of TLS from the application's by these.
    alpnProtocols: http2 ? ["istio", "h2"] : ["istio"],
  };
  return tlsSocket(common, sni);
}

/** TLS as a rule says (SIMPLE and MUTUAL). */
export function ruleSocket(
  proxy: ProxyTraits,
  tls: ClientTls,
  { names, http2 }: { names: readonly string[]; http2: boolean },
): TransportSocket {
  const verified = tls.insecureSkipVerify !== true;
  const common: CommonTlsContext = {
    tlsParams: versions,
    tlsCertificateSdsSecretConfigs: tls.mode === Mode.MUTUAL ? [ownCertificate(proxy, tls)] : [],
    validationContextType: verified
      ? verifiedBy(roots(proxy, tls), matchNames(names))
      : { case: "validationContext", value: matchNames([]) },
    alpnProtocols: http2 ? ["h2"] : [],
  };
  return tlsSocket(common, tls.sni);
}

const ownCertificate = (proxy: ProxyTraits, tls: ClientTls): ReturnType<typeof credential> =>
  tls.credentialName === ""
    ? certificateFiles(tls.clientCertificate, tls.privateKey, proxy)
    : credential(tls.credentialName, proxy);

const roots = (proxy: ProxyTraits, tls: ClientTls): ReturnType<typeof credential> =>
  tls.credentialName === ""
    ? rootsFile(tls.caCertificates || "system", proxy)
    : credentialRoots(tls.credentialName, proxy);
