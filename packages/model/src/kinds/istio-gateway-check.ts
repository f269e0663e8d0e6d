import type { FieldPath, Problem } from "../config-object.ts";
import { Findings, present } from "./check.ts";
import type { IstioGatewayObject } from "./index.ts";
import type { WrittenServerTls } from "./server-tls.ts";

/** What istiod asks of a Gateway beyond its schema (istio/istio, pkg/config/validation). */
export function checkIstioGateway(object: IstioGatewayObject): Problem[] {
  const findings = new Findings(object);
  const { servers } = object.body.spec;
  servers.forEach(({ port, tls }, i) => {
    if (servers.findIndex((other) => other.port.name === port.name) < i) {
      findings.error(["servers", i, "port", "name"], `"${port.name}" stands twice`);
    }
    checkProtocol(port.protocol.toUpperCase(), tls, ["servers", i], findings);
    if (tls !== undefined) checkServerTls(tls, ["servers", i, "tls"], findings);
  });
  return findings.problems;
}

function checkProtocol(
  protocol: string,
  tls: WrittenServerTls | undefined,
  path: FieldPath,
  findings: Findings,
): void {
  const encrypted = protocol === "HTTPS" || protocol === "TLS";
  if (encrypted && tls === undefined) findings.error(path, `protocol ${protocol} needs tls`);
  if (encrypted || tls === undefined) return;
  const redirects = protocol.startsWith("HTTP") || protocol.startsWith("GRPC");
  const certificates = present(tls, "serverCertificate", "privateKey", "caCertificates");
  if (!redirects || tls.mode !== "PASSTHROUGH" || certificates.length > 0) {
    findings.error(
      [...path, "tls"],
      `a server of protocol ${protocol} does not terminate TLS; use HTTPS or TLS`,
    );
  }
}

function checkClientChecks(tls: WrittenServerTls, path: FieldPath, findings: Findings): void {
  for (const field of ["credentialName", "caCertCredentialName"] as const) {
    if (tls[field]?.startsWith("sds://") !== true) continue;
    findings.warning([...path, field], "is of another provider of secrets, which is not supported");
  }
  if (tls.mode === "MUTUAL" || tls.mode === "OPTIONAL_MUTUAL") return;
  const checks = present(tls, "caCertCredentialName", "verifyCertificateSpki", "verifyCertificateHash");
  for (const field of [...checks, ...(tls.insecureSkipVerify ? ["insecureSkipVerify"] : [])]) {
    findings.warning(
      [...path, field],
      `has no effect with mode ${tls.mode}: no client is asked for a certificate`,
    );
  }
}

/** Certificates that a mode needs, or has no use for. */
export function checkServerTls(tls: WrittenServerTls, path: FieldPath, findings: Findings): void {
  checkClientChecks(tls, path, findings);
  const files = present(tls, "serverCertificate", "privateKey", "caCertificates");
  const credentials = present(tls, "credentialName", "credentialNames", "tlsCertificates");
  if (tls.mode === "ISTIO_MUTUAL") {
    for (const field of [...files, ...credentials]) {
      findings.error([...path, field], "the mesh's own certificates are used with ISTIO_MUTUAL");
    }
  }
  if (tls.mode === "PASSTHROUGH" || tls.mode === "AUTO_PASSTHROUGH") {
    for (const field of [...files, ...credentials]) {
      findings.warning([...path, field], `has no effect with mode ${tls.mode}`);
    }
    return;
  }
  if (tls.mode === "ISTIO_MUTUAL") return;
  if (credentials.length > 1 || (credentials.length > 0 && files.includes("serverCertificate"))) {
    findings.error(path, `takes only one of ${[...credentials, ...files].join(", ")}`);
  }
  if (credentials.length > 0) return;
  const needed = ["serverCertificate", "privateKey", ...(tls.mode === "SIMPLE" ? [] : ["caCertificates"])];
  for (const field of needed.filter((name) => !files.includes(name))) {
    findings.error(path, `mode ${tls.mode} needs a ${field} or a credentialName`);
  }
}
