import { create } from "@bufbuild/protobuf";
import { type ServerTls, ServerTls_Mode, ServerTlsSchema } from "@keelson/protos/proxy";
import type { WrittenServerTls } from "../kinds/server-tls.ts";

const modes = {
  PASSTHROUGH: ServerTls_Mode.PASSTHROUGH,
  SIMPLE: ServerTls_Mode.SIMPLE,
  MUTUAL: ServerTls_Mode.MUTUAL,
  AUTO_PASSTHROUGH: ServerTls_Mode.AUTO_PASSTHROUGH,
  ISTIO_MUTUAL: ServerTls_Mode.ISTIO_MUTUAL,
  OPTIONAL_MUTUAL: ServerTls_Mode.OPTIONAL_MUTUAL,
} as const;

export function serverTlsOf(written: WrittenServerTls): ServerTls {
  return create(ServerTlsSchema, {
    mode: modes[written.mode],
    httpsRedirect: written.httpsRedirect,
    serverCertificate: written.serverCertificate ?? "",
    privateKey: written.privateKey ?? "",
    caCertificates: written.caCertificates ?? "",
    credentialNames: written.credentialName ? [written.credentialName] : written.credentialNames,
    caCredentialName: written.caCertCredentialName ?? "",
    verifyCertificateSpki: written.verifyCertificateSpki,
    verifyCertificateHash: written.verifyCertificateHash,
    insecureSkipVerify: written.insecureSkipVerify,
    subjectAltNames: written.subjectAltNames,
    cipherSuites: written.cipherSuites,
    minProtocolVersion: versionOf(written.minProtocolVersion),
    maxProtocolVersion: versionOf(written.maxProtocolVersion),
  });
}

const versionOf = (text = "TLS_AUTO"): string => (text === "TLS_AUTO" ? "" : text);
