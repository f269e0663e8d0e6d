import type { Problem } from "../config-object.ts";
import { Findings, present } from "./check.ts";
import type { SidecarObject } from "./index.ts";
import { checkServerTls } from "./istio-gateway-check.ts";
import type { SidecarIngress } from "./sidecar.ts";

/** What istiod asks of a Sidecar beyond its schema (istio/istio, pkg/config/validation). */
export function checkSidecar(object: SidecarObject): Problem[] {
  const findings = new Findings(object);
  const { spec } = object.body;
  if (present(spec, "egress", "ingress", "outboundTrafficPolicy", "inboundConnectionPool").length === 0) {
    findings.error([], "says nothing: needs egress, ingress, outboundTrafficPolicy or inboundConnectionPool");
  }
  checkEgress(object, findings);
  spec.ingress.forEach((listener, i) => {
    const { number } = listener.port;
    if (number === 0) findings.error(["ingress", i, "port", "number"], "is required");
    if (spec.ingress.findIndex(({ port }) => port.number === number) < i) {
      findings.error(["ingress", i, "port", "number"], `there is a listener on port ${number} already`);
    }
    checkIngress(listener, i, findings);
  });
  return findings.problems;
}

function checkEgress(object: SidecarObject, findings: Findings): void {
  const { egress } = object.body.spec;
  egress.forEach(({ port, bind = "" }, i) => {
    if (port === undefined) {
      if (i < egress.length - 1)
        findings.error(["egress", i], "a listener without a port must be the last one");
      return;
    }
    if (port.number === 0) {
      if (!bind.startsWith("unix://")) {
        findings.error(["egress", i, "port"], "needs a number, or a bind to a UNIX domain socket (unix://…)");
      }
      return;
    }
    if (egress.findIndex((other) => other.port?.number === port.number) < i) {
      findings.error(["egress", i, "port", "number"], `there is a listener on port ${port.number} already`);
    }
  });
}

/** Where the workload itself listens. */
const localEndpoint = /^((127\.0\.0\.1|0\.0\.0\.0|\[::1?\])?:\d{1,5}|unix:\/\/.+)$/;

function checkIngress({ defaultEndpoint, tls, port }: SidecarIngress, i: number, findings: Findings): void {
  if (defaultEndpoint !== undefined && !localEndpoint.test(defaultEndpoint)) {
    const text = "is none of 127.0.0.1:PORT, 0.0.0.0:PORT, [::1]:PORT, [::]:PORT, :PORT and unix://PATH";
    findings.error(["ingress", i, "defaultEndpoint"], text);
  }
  if (tls === undefined) return;
  const path = ["ingress", i, "tls"];
  if (tls.httpsRedirect) findings.error([...path, "httpsRedirect"], "is for gateways only");
  for (const field of present(
    tls,
    "subjectAltNames",
    "credentialName",
    "credentialNames",
    "caCertCredentialName",
    "tlsCertificates",
  )) {
    findings.error([...path, field], "is for gateways only");
  }
  if (tls.mode === "ISTIO_MUTUAL" || tls.mode === "AUTO_PASSTHROUGH") {
    findings.error([...path, "mode"], `${tls.mode} is for gateways only`);
  }
  if (!/^(HTTPS|TLS)$/i.test(port.protocol)) findings.error(path, "needs a port of protocol HTTPS or TLS");
  checkServerTls(tls, path, findings);
}
