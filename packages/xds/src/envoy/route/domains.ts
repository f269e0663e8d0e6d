import { isIP } from "node:net";
import { hostAndPort, hostHeaderOf } from "../names.ts";

const serviceMark = ".svc.";

/**
 * Shorter names of a host that resolve from a proxy's DNS domain ("a.svc.cluster.local"): within Kubernetes "name" (same
 * namespace only), "name.namespace" and "name.namespace.svc"; elsewhere what is left without the shared end.
 */
export function shortNames(hostname: string, proxyDomain: string): string[] {
  const mark = proxyDomain.indexOf(serviceMark);
  if (mark !== -1) return kubernetesNames(hostname, proxyDomain.slice(0, mark), proxyDomain.slice(mark));
  const host = hostname.split(".");
  const domain = proxyDomain.split(".");
  let shared = 0;
  while (shared < Math.min(host.length, domain.length) && host.at(-1 - shared) === domain.at(-1 - shared)) {
    shared += 1;
  }
  if (shared === 0 || shared === host.length) return [];
  const own = host.slice(0, -shared);
  const short = own.join(".");
  return own.length === 2 ? [short, `${short}.${domain.at(-shared) ?? ""}`] : [short];
}

function kubernetesNames(hostname: string, namespace: string, suffix: string): string[] {
  if (!hostname.endsWith(suffix)) return [];
  const withNamespace = hostname.slice(0, hostname.indexOf(serviceMark));
  const parts = withNamespace.split(".");
  const [name = "", own] = parts;
  if (own === undefined) return [];
  const longer = [withNamespace, `${withNamespace}.svc`];
  return parts.length === 2 && own === namespace ? [name, ...longer] : longer;
}

/** Equal for proxy domains from which a service has the same names. */
export function namesKey({ hostname, aliases }: Named, proxyDomain: string): string {
  const mark = proxyDomain.indexOf(serviceMark);
  if (mark === -1 || aliases.length > 0) return proxyDomain;
  const suffix = proxyDomain.slice(mark);
  const own = hostname.endsWith(`.${proxyDomain}`);
  return own ? `own${suffix}` : suffix;
}

interface Named {
  readonly hostname: string;
  readonly aliases: readonly string[];
}

/** All names of a host, the absolute one with its trailing dot second. */
export function allNames(hostname: string, proxyDomain: string): string[] {
  if (isIP(hostname) !== 0) return [hostname];
  return [hostname, `${hostname}.`, ...shortNames(hostname, proxyDomain)];
}

/** Domains of a virtual host, in lower case, each once. @param port 0: requests match whatever port they name. */
export const domainsOf = (names: readonly string[], port: number): string[] => [
  ...new Set(
    names
      .map((name) => name.toLowerCase())
      .flatMap((name) => (port === 0 ? [hostHeaderOf(name)] : [hostHeaderOf(name), hostAndPort(name, port)])),
  ),
];
