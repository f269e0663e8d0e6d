import type { Problem } from "../config-object.ts";
import { Findings } from "./check.ts";
import type { PeerAuthenticationObject } from "./index.ts";

/** What istiod asks of a PeerAuthentication beyond its schema (istio/istio, pkg/config/validation). */
export function checkPeerAuthentication(object: PeerAuthenticationObject): Problem[] {
  const findings = new Findings(object);
  const { selector, portLevelMtls, mtls } = object.body.spec;
  const ports = Object.entries(portLevelMtls);
  if (ports.length > 0 && Object.keys(selector?.matchLabels ?? {}).length === 0) {
    findings.error(["portLevelMtls"], "needs a selector: ports are told of certain workloads only");
  }
  const strict = [
    ...(mtls?.mode === "STRICT" ? [["mtls"]] : []),
    ...ports.filter(([, { mode }]) => mode === "STRICT").map(([port]) => ["portLevelMtls", port]),
  ];
  for (const path of strict) {
    const text =
      "STRICT is kept by proxies; kernel nodes neither encrypt nor ask callers for certificates yet";
    findings.warning([...path, "mode"], text);
  }
  return findings.problems;
}
