import type { FieldPath, Problem } from "../config-object.ts";
import { Findings } from "./check.ts";
import type { DestinationPolicyObject } from "./index.ts";
import { checkIstioService } from "./istio-service-check.ts";

/** What Pilot 0.2 asks of a DestinationPolicy beyond its schema (istio/pilot 0.2.12, model/validation.go). */
export function checkDestinationPolicy(object: DestinationPolicyObject): Problem[] {
  const findings = new Findings(object);
  const error = (path: FieldPath, message: string): void => findings.error(path, message);
  const { destination, source, loadBalancing } = object.body.spec;
  checkIstioService(destination, ["destination"], error);
  if (source !== undefined) checkIstioService(source, ["source"], error);
  if (loadBalancing !== undefined && Object.keys(loadBalancing).length === 0) {
    error(["loadBalancing"], "needs a name");
  }
  return findings.problems;
}
