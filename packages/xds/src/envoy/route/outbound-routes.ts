import type { Resource } from "@keelson/protos";
import type { Context } from "../context.ts";
import { httpProxyRoute, unixPrefix } from "../names.ts";
import type { Egress } from "../scope/scope.ts";
import { type OutboundHost, outboundHosts, serviceHosts } from "./outbound-hosts.ts";
import { restHost } from "./rest-host.ts";
import { routeConfiguration } from "./virtual-host.ts";

interface RouteName {
  /** 0: a forward proxy or a socket file, where requests name the port. */
  readonly port: number;
  /** Set where the route configuration is for one service only. */
  readonly host: string | undefined;
}

/** "9080", "reviews.default.svc.cluster.local:9080", "http_proxy", "unix:///path"; undefined for anything else. */
function parseRouteName(name: string): RouteName | undefined {
  if (name === httpProxyRoute || name.startsWith(unixPrefix)) return { port: 0, host: undefined };
  const colon = name.lastIndexOf(":");
  const port = Number(name.slice(colon + 1));
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return undefined;
  return { port, host: colon === -1 ? undefined : name.slice(0, colon) };
}

/** The egress listener that a port belongs to. @param name of the routes, for socket files */
export function egressOf(name: string, port: number, egress: readonly Egress[]): Egress | undefined {
  return egress.find((candidate) =>
    candidate.port === 0
      ? !candidate.bind.startsWith(unixPrefix) || candidate.bind === name
      : candidate.port === port,
  );
}

const byName = (a: OutboundHost, b: OutboundHost): number => (a.name < b.name ? -1 : Number(a.name > b.name));

/** The virtual hosts of one listener's routes, sorted by name, each domain in the first that has it. */
function encodeHosts(hosts: readonly OutboundHost[]): Uint8Array[] {
  const taken = new Set<string>();
  // What a host is called in full comes before what another one is called for short.
  const full = new Set(hosts.map(({ domains }) => domains[0]));
  let last: string | undefined;
  return hosts.toSorted(byName).flatMap(({ name, domains, encode }) => {
    const isFree = (domain: string, i: number): boolean =>
      !taken.has(domain) && (i === 0 || !full.has(domain));
    // The very list where nothing is missing: what is made of it is remembered.
    const free = domains.every(isFree) ? domains : domains.filter(isFree);
    if (free.length === 0 || name === last) return [];
    last = name;
    for (const domain of free) taken.add(domain);
    return [encode(free)];
  });
}

/** What no host takes goes on, or is refused; a rule for "*" leaves nothing. */
function withRest(hosts: readonly OutboundHost[], { passesThrough }: Context): Uint8Array[] {
  const encoded = encodeHosts(hosts);
  const all = hosts.some(({ domains }) => domains.includes("*"));
  return all ? encoded : [...encoded, restHost(passesThrough)];
}

/** @returns undefined for a name that no listener of this proxy has. */
export function outboundRoutes(name: string, context: Context): Resource | undefined {
  const parsed = parseRouteName(name);
  const egress = parsed && egressOf(name, parsed.port, context.scope.egress);
  if (parsed === undefined || egress === undefined) return undefined;
  const { services, tables } = egress;
  const requestsNamePort = parsed.port === 0 || egress.protocol === "HTTP_PROXY";
  if (requestsNamePort) {
    const ports = new Set(services.flatMap((scoped) => scoped.ports.map(({ port }) => port)));
    const hosts = [...ports].flatMap((port) =>
      outboundHosts({ services, tables, port, portInDomains: true, context }).map((host) =>
        port === 80 ? host : { ...host, domains: host.domains.filter((domain) => /:\d+$/.test(domain)) },
      ),
    );
    return routeConfiguration(name, withRest(hosts, context));
  }
  const { port, host } = parsed;
  if (host === undefined) {
    const hosts = outboundHosts({ services, tables, port, portInDomains: false, context });
    return routeConfiguration(name, withRest(hosts, context));
  }
  const only = services.filter(({ service }) => service.hostname === host);
  const [found] = serviceHosts({ services: only, tables, port, portInDomains: false, context });
  return routeConfiguration(name, found === undefined ? [] : [found.encode(["*"])]);
}
