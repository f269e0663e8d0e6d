import { hostAndPort } from "../envoy/names.ts";

/** What servers put before their address in the name of their listener, as the bootstrap's template says (Istio). */
const serverListenerPrefix = "xds.istio.io/grpc/lds/inbound/";

/** Name of a server's listener. @param address IP address on which it listens */
export const serverListenerName = (address: string, port: number): string =>
  `${serverListenerPrefix}${hostAndPort(address, port)}`;

interface HostAndPort {
  /** Without brackets. */
  readonly host: string;
  /** Undefined: the text names none. */
  readonly port: number | undefined;
}

/** "host:80", "[::1]:80", "host" */
function splitHostPort(text: string): HostAndPort {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port < 1 || port > 65_535) return { host: text, port: undefined };
  return { host: bracketed ?? plain ?? "", port };
}

/** Where the server listens that asks for a listener of this name; undefined: no server asks like this. */
export function parseServerName(
  name: string,
): { readonly address: string; readonly port: number } | undefined {
  if (!name.startsWith(serverListenerPrefix)) return undefined;
  const { host, port } = splitHostPort(name.slice(serverListenerPrefix.length));
  return port === undefined ? undefined : { address: host, port };
}

export interface ClientName {
  /** What the host may be called in full, as it stands first. */
  readonly hostnames: readonly string[];
  readonly port: number | undefined;
}

/**
 * What a client dials that asks for a listener of this name.
 * @param domain of the client, "default.svc.cluster.local": "name" is taken as "name.default.svc.cluster.local", and so
 * are "name.default" and "name.default.svc". Hosts of other namespaces are asked for in full (Istio).
 */
export function parseClientName(name: string, domain: string): ClientName {
  const { host, port } = splitHostPort(name);
  return { hostnames: [host, ...inFull(host, domain)], port };
}

function inFull(host: string, domain: string): string[] {
  if (!host.includes(".")) return [`${host}.${domain}`];
  const [namespace = ""] = domain.split(".", 1);
  const suffix = [namespace, `${namespace}.svc`].find(
    (end) => host.endsWith(`.${end}`) && domain.startsWith(`${end}.`),
  );
  return suffix === undefined ? [] : [`${host.slice(0, -suffix.length)}${domain}`];
}
