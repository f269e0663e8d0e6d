import type { FieldPath } from "../config-object.ts";
import type { IstioService } from "./istio-service.ts";

/** Whether a service is named in one way (istio/pilot 0.2.12, model/validation.go). */
export function checkIstioService(
  service: IstioService,
  path: FieldPath,
  error: (path: FieldPath, message: string) => void,
): void {
  const { name, namespace, domain, service: hostname } = service;
  if (name === undefined && hostname === undefined) error(path, "needs a name (or a service)");
  if (hostname !== undefined && (name !== undefined || namespace !== undefined || domain !== undefined)) {
    error([...path, "service"], "stands beside name, namespace or domain; use one or the other");
  }
}
