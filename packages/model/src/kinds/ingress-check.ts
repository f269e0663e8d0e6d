import type { FieldPath, Problem } from "../config-object.ts";
import { Findings } from "./check.ts";
import type { IngressObject } from "./index.ts";
import type { IngressBackend } from "./ingress.ts";

/** What Kubernetes asks of an Ingress beyond its schema. */
export function checkIngress(object: IngressObject): Problem[] {
  const findings = new Findings(object);
  const { defaultBackend, backend, rules } = object.body.spec;
  checkBackend(findings, ["defaultBackend"], defaultBackend);
  checkBackend(findings, ["backend"], backend);
  rules.forEach(({ http }, i) => {
    http?.paths.forEach((path, j) => {
      const at = ["rules", i, "http", "paths", j];
      checkBackend(findings, [...at, "backend"], path.backend);
      const wantsSlash = path.pathType !== "ImplementationSpecific";
      if (wantsSlash && !path.path.startsWith("/")) {
        findings.error([...at, "path"], `a path of type ${path.pathType} begins with "/"`);
      }
    });
  });
  return findings.problems;
}

function checkBackend(findings: Findings, path: FieldPath, backend: IngressBackend | undefined): void {
  if (backend === undefined || backend.resource !== undefined) return;
  const { service, serviceName, servicePort } = backend;
  if (service === undefined) {
    if (serviceName === undefined) findings.error(path, "needs a service");
    else if (servicePort === undefined) findings.error(path, "needs a servicePort");
    return;
  }
  if (serviceName !== undefined) findings.error([...path, "serviceName"], "stands beside service");
  const { number, name } = service.port;
  if ((number === undefined) === (name === undefined)) {
    findings.error([...path, "service", "port"], "needs either a number or a name");
  }
}
