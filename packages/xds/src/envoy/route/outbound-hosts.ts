import type { Route } from "@envoyproxy/xds-protos/envoy/config/route/v3/route_components_pb.js";
import { Resolution, type Service } from "@keelson/protos/policy";
import type { RouteTable } from "@keelson/protos/route";
import { spokenAddresses } from "../addresses.ts";
import type { Context } from "../context.ts";
import { compareSpecificity, isSubsetOf, isWildcard } from "../hosts.ts";
import { meshGateway } from "../index/route-tables.ts";
import { listenerKind } from "../listener/listener-merger.ts";
import { hostAndPort, outboundClusterName } from "../names.ts";
import type { ScopedService } from "../scope/scoped-service.ts";
import { policyFor } from "../traffic-policy.ts";
import { allNames, domainsOf, namesKey } from "./domains.ts";
import { defaultRoute, routesOf } from "./routes.ts";
import { virtualHost } from "./virtual-host.ts";

/** @param domains those that no earlier host has; all of them as the very list. */
type Encode = (domains: readonly string[]) => Uint8Array;

/** One virtual host of a sidecar's route configuration. */
export interface OutboundHost {
  readonly name: string;
  readonly domains: readonly string[];
  readonly encode: Encode;
}

export interface OutboundHostsInputs {
  readonly services: readonly ScopedService[];
  /** In the order in which they are asked. */
  readonly tables: readonly RouteTable[];
  /** What the caller dialled. */
  readonly port: number;
  /** Requests name the port themselves (forward proxies): domains hold it. */
  readonly portInDomains: boolean;
  readonly context: Context;
  /** What callers that cannot do all that Envoy can get of the routes of rules; all as they are if left out. */
  readonly adapt?: (routes: readonly Route[]) => readonly Route[];
}

/** The first table that has the very host, else the one with the most specific wildcard. */
function tableOf(hostname: string, tables: readonly RouteTable[]): RouteTable | undefined {
  const exact = tables.find(({ hosts }) => hosts.includes(hostname));
  if (exact !== undefined) return exact;
  const wildcards = tables.flatMap((table) =>
    table.hosts
      .filter((host) => isWildcard(host) && isSubsetOf(hostname, host))
      .map((host) => ({ host, table })),
  );
  return wildcards.sort((a, b) => compareSpecificity(a.host, b.host))[0]?.table;
}

/** Virtual hosts of all services with an HTTP port of this number. */
export const serviceHosts = (inputs: OutboundHostsInputs): OutboundHost[] =>
  inputs.services
    .filter(({ ports }) =>
      ports.some(({ port, applicationProtocol }) => port === inputs.port && speaksHttp(applicationProtocol)),
    )
    .map(({ service }) => serviceHost(service, inputs));

/** The same, and those of hosts that only rules know. */
export function outboundHosts(inputs: OutboundHostsInputs): OutboundHost[] {
  const { services, tables, port } = inputs;
  const present = services.filter(({ ports }) => ports.some((candidate) => candidate.port === port));
  return [...serviceHosts(inputs), ...ruleHosts(tables, present, inputs)];
}

function speaksHttp(protocol: Parameters<typeof listenerKind>[0]): boolean {
  const kind = listenerKind(protocol);
  return kind === "http" || kind === "auto";
}

const asTheyAre = (routes: readonly Route[]): readonly Route[] => routes;

function serviceHost(service: Service, inputs: OutboundHostsInputs): OutboundHost {
  const { tables, port, context, adapt = asTheyAre } = inputs;
  const { hostname } = service;
  const name = hostAndPort(hostname, port);
  const names = namesOf(service, inputs);
  const { domains } = names;
  const defaultCluster = outboundClusterName(port, "", hostname);
  const table = tables.length === 0 ? undefined : tableOf(hostname, tables);
  if (table !== undefined) {
    const ruled = routesOf({ table, port, gateway: meshGateway, isTls: false, defaultCluster, context });
    if (ruled.length > 0) {
      const routes = adapt(ruled);
      return { name, domains, encode: (free) => virtualHost({ name, domains: free, routes }) };
    }
  }
  const hash = policyFor(context.policyOf(service), port).loadBalancer?.consistentHash;
  const encode: Encode = (free) =>
    virtualHost({ name, domains: free, routes: [defaultRoute(defaultCluster, hostname, port, hash)] });
  return { name, domains, encode: hash === undefined ? remembered(names, port, encode) : encode };
}

/** What is remembered of a service for all proxies that know it by the same names. */
interface KnownNames {
  readonly domains: readonly string[];
  /** Serialised hosts that no rule speaks of, by port. */
  readonly hosts: Map<number, Uint8Array>;
}

const knownNames = new WeakMap<Service, Map<string, KnownNames>>();

/** Every name and address by which the service is called. */
function namesOf(service: Service, { port, portInDomains, context }: OutboundHostsInputs): KnownNames {
  const { domain, families } = context.proxy;
  const portOfDomains = portInDomains ? port : 0;
  const key = `${portOfDomains} ${families.length} ${families[0]} ${namesKey(service, domain)}`;
  const byKey = knownNames.get(service) ?? new Map<string, KnownNames>();
  knownNames.set(service, byKey);
  const known = byKey.get(key);
  if (known !== undefined) return known;
  const names = [service.hostname, ...service.aliases].flatMap((name) => allNames(name, domain));
  // Endpoints of a headless service have names of their own below it.
  const below = service.resolution === Resolution.PASSTHROUGH && !service.meshExternal;
  const all = below ? [...names, ...names.map((name) => `*.${name}`)] : names;
  const domains = domainsOf([...all, ...spokenAddresses(service.addresses, families)], portOfDomains);
  const made = { domains, hosts: new Map<number, Uint8Array>() };
  byKey.set(key, made);
  return made;
}

/** Most services are called by no rule, and have all of their names for themselves: their hosts are made once. */
function remembered({ domains, hosts }: KnownNames, port: number, encode: Encode): Encode {
  return (free) => {
    if (free !== domains) return encode(free);
    const bytes = hosts.get(port) ?? encode(free);
    hosts.set(port, bytes);
    return bytes;
  };
}

/** The port on which rules count also for hosts that no service stands for (Istio). */
const portOfUnknownHosts = 80;

/** Hosts that rules name and no service has: they lead where the rules say. */
function ruleHosts(
  tables: readonly RouteTable[],
  present: readonly ScopedService[],
  inputs: OutboundHostsInputs,
): OutboundHost[] {
  const { port, portInDomains, context } = inputs;
  const known = new Set(present.map(({ service }) => service.hostname));
  const claimed = new Set<string>();
  return tables.flatMap((table) => {
    const matches = (host: string): boolean =>
      isWildcard(host) ? [...known].some((name) => isSubsetOf(name, host)) : known.has(host);
    if (port !== portOfUnknownHosts && !table.hosts.some(matches)) return [];
    const hosts = table.hosts.filter((host) => !matches(host) && !claimed.has(host));
    if (hosts.length === 0) return [];
    for (const host of hosts) claimed.add(host);
    return hosts.flatMap((host): OutboundHost[] => {
      const defaultCluster = outboundClusterName(port, "", host);
      const routes = routesOf({ table, port, gateway: meshGateway, isTls: false, defaultCluster, context });
      if (routes.length === 0) return [];
      const name = hostAndPort(host, port);
      const domains = domainsOf([host.toLowerCase()], portInDomains ? port : 0);
      return [{ name, domains, encode: (free) => virtualHost({ name, domains: free, routes }) }];
    });
  });
}
