import type { TransportSocketSchema } from "@envoyproxy/xds-protos/envoy/config/core/v3/base_pb.js";
import {
  TlsParameters_TlsProtocol as TlsProtocol,
  CertificateValidationContext_TrustChainVerification as TrustChainVerification,
} from "@envoyproxy/xds-protos/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import {
  type CommonTlsContextSchema,
  DownstreamTlsContextSchema,
} from "@envoyproxy/xds-protos/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { ServerTls_Mode as Mode, type ServerTls } from "@keelson/protos/proxy";
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
import { matchNames, type ValidationInit, verifiedBy } from "./validation.ts";

type TransportSocket = Init<typeof TransportSocketSchema>;
type CommonTlsContext = Init<typeof CommonTlsContextSchema>;

const tlsSocket = (
  commonTlsContext: CommonTlsContext,
  requireClientCertificate: boolean,
): TransportSocket => ({
  name: "envoy.transport_sockets.tls",
  configType: typedConfig(DownstreamTlsContextSchema, { commonTlsContext, requireClientCertificate }),
});

/** The ciphers with forward secrecy that Istio's sidecars accept. */
const meshCiphers = [
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "AES256-GCM-SHA384",
  "AES128-GCM-SHA256",
];

/** Mutual TLS of the mesh, ended by the workload's sidecar. */
export function meshServerSocket(proxy: ProxyTraits, speaks: "http" | "tcp"): TransportSocket {
  const common: CommonTlsContext = {
    alpnProtocols: speaks === "http" ? ["h2", "http/1.1"] : ["istio-peer-exchange", "h2", "http/1.1"],
    tlsParams: {
      tlsMinimumProtocolVersion: TlsProtocol.TLSv1_2,
      tlsMaximumProtocolVersion: TlsProtocol.TLSv1_3,
      cipherSuites: meshCiphers,
    },
    tlsCertificateSdsSecretConfigs: [workloadCertificate(proxy)],
    validationContextType: verifiedBy(workloadRoots(proxy), matchNames([])),
  };
  return tlsSocket(common, true);
}

const versions: Readonly<Record<string, TlsProtocol>> = {
  TLSV1_0: TlsProtocol.TLSv1_0,
  TLSV1_1: TlsProtocol.TLSv1_1,
  TLSV1_2: TlsProtocol.TLSv1_2,
  TLSV1_3: TlsProtocol.TLSv1_3,
};
const versionOf = (name: string): TlsProtocol => versions[name.toUpperCase()] ?? TlsProtocol.TLS_AUTO;

/** TLS that a Gateway's server, or a Sidecar's ingress listener, ends with the certificate it names. */
export function serverSocket(tls: ServerTls, proxy: ProxyTraits): TransportSocket {
  const requiresClient = tls.mode === Mode.MUTUAL || tls.mode === Mode.ISTIO_MUTUAL;
  const verifiesClient = requiresClient || tls.mode === Mode.OPTIONAL_MUTUAL;
  const common: CommonTlsContext = {
    alpnProtocols: ["h2", "http/1.1"],
    tlsParams: {
      tlsMinimumProtocolVersion: versionOf(tls.minProtocolVersion),
      tlsMaximumProtocolVersion: versionOf(tls.maxProtocolVersion),
      cipherSuites: tls.cipherSuites,
    },
    tlsCertificateSdsSecretConfigs: ownCertificates(tls, proxy),
    ...(verifiesClient && {
      validationContextType: verifiedBy(clientRoots(tls, proxy), clientChecks(tls)),
    }),
    ...(!verifiesClient &&
      tls.subjectAltNames.length > 0 && {
        validationContextType: { case: "validationContext" as const, value: matchNames(tls.subjectAltNames) },
      }),
  };
  return tlsSocket(common, requiresClient);
}

type SecretConfig = ReturnType<typeof credential>;

function ownCertificates(tls: ServerTls, proxy: ProxyTraits): SecretConfig[] {
  if (tls.mode === Mode.ISTIO_MUTUAL) return [workloadCertificate(proxy)];
  if (tls.credentialNames.length > 0) return tls.credentialNames.map((name) => credential(name, proxy));
  return [certificateFiles(tls.serverCertificate, tls.privateKey, proxy)];
}

const clientChecks = (tls: ServerTls): ValidationInit => ({
  ...matchNames(tls.subjectAltNames),
  verifyCertificateSpki: tls.verifyCertificateSpki,
  verifyCertificateHash: tls.verifyCertificateHash,
  ...(tls.insecureSkipVerify && { trustChainVerification: TrustChainVerification.ACCEPT_UNTRUSTED }),
});

function clientRoots(tls: ServerTls, proxy: ProxyTraits): SecretConfig {
  if (tls.mode === Mode.ISTIO_MUTUAL) return workloadRoots(proxy);
  if (tls.caCredentialName !== "") return credential(tls.caCredentialName, proxy);
  const [first] = tls.credentialNames;
  if (first !== undefined) return credentialRoots(first, proxy);
  return rootsFile(tls.caCertificates, proxy);
}
