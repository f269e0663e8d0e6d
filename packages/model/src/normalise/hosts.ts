import { isIP } from "node:net";
import type { IstioService } from "../kinds/istio-service.ts";
import { meshGateway } from "../model.ts";

/** "reviews.default.svc.cluster.local" */
export const serviceHostname = (name: string, namespace: string, domain: string): string =>
  `${name}.${namespace}.svc.${domain}`;

/**
 * The full name that a host in a rule stands for: one without a dot is a service of the rule's own namespace, everything
 * else is as it is written (istio/istio: ResolveShortnameToFQDN).
 */
export function resolveHost(host: string, namespace: string, domain: string): string {
  const isFull = host === "*" || host.includes(".") || isIP(host) !== 0;
  return isFull ? host.toLowerCase() : serviceHostname(host.toLowerCase(), namespace, domain);
}

/** Namespaces that see a rule, sorted; empty: all. "~" stays: nobody. */
export function resolveExportTo(exportTo: readonly string[], namespace: string): string[] {
  if (exportTo.includes("*")) return [];
  return [...new Set(exportTo.map((one) => (one === "." ? namespace : one)))].sort();
}

/** "namespace/name" of a gateway that a rule names, which may leave its own namespace out; or "mesh". */
export function resolveGateway(name: string, namespace: string): string {
  if (name === meshGateway) return meshGateway;
  const [first = "", second] = name.split("/");
  if (second !== undefined) return `${first === "." ? namespace : first}/${second}`;
  // The old form: "gateway.namespace.svc.cluster.local".
  const [gateway = "", home] = name.split(".");
  return `${home ?? namespace}/${gateway}`;
}

/** The full hostname that name, namespace and domain stand for; the rule's own namespace is the default. */
export function istioServiceHostname(service: IstioService, ruleNamespace: string, domain: string): string {
  if (service.service !== undefined) return service.service;
  const { name = "", namespace = ruleNamespace } = service;
  return service.domain === undefined
    ? serviceHostname(name, namespace, domain)
    : `${name}.${namespace}.${service.domain}`;
}
