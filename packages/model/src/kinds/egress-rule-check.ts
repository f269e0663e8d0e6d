import type { Problem } from "../config-object.ts";
import { Findings, present } from "./check.ts";
import type { EgressRuleObject } from "./index.ts";

/** What Pilot 0.2 asks of an EgressRule beyond its schema (istio/pilot 0.2.12, model/validation.go). */
export function checkEgressRule(object: EgressRuleObject): Problem[] {
  const findings = new Findings(object);
  const { destination, ports, useEgressProxy } = object.body.spec;
  if (destination.service === undefined) findings.error(["destination", "service"], "is required");
  for (const field of present(destination, "name", "namespace", "domain", "labels")) {
    findings.error(["destination", field], "has no meaning here; the destination is its service alone");
  }
  ports.forEach(({ port }, i) => {
    if (ports.findIndex((other) => other.port === port) < i) {
      findings.error(["ports", i, "port"], `${port} stands twice`);
    }
  });
  if (useEgressProxy) findings.error(["useEgressProxy"], "is not supported, nor was it by Pilot 0.2");
  return findings.problems;
}
