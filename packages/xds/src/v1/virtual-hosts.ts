import { hostAndPort, hostHeaderOf } from "../envoy/names.ts";
import type { Age } from "./age.ts";
import type { ClusterPlan } from "./clusters.ts";
import type { V1Port, V1Service } from "./directory.ts";
import type { HttpFilter } from "./faults.ts";
import { type RoutePlan, renderRoute } from "./routes.ts";
import { serviceKey } from "./service-key.ts";

export interface VirtualHostPlan {
  readonly name: string;
  readonly domains: readonly string[];
  readonly routes: readonly RoutePlan[];
}

/** Port that callers dial → virtual hosts there. */
export type RouteTables = ReadonlyMap<number, readonly VirtualHostPlan[]>;

/** @param domain suffix of the short names that callers use */
export const serviceHost = (
  service: V1Service,
  port: V1Port,
  domain: string,
  routes: readonly RoutePlan[],
): VirtualHostPlan => ({
  name: serviceKey(service.hostname, port.name),
  domains: serviceDomains(service, domain).flatMap((host) => [
    hostAndPort(host, port.port),
    hostHeaderOf(host),
  ]),
  routes,
});

/** "reviews", "reviews.default" … up to the whole name: what is left when the caller's own suffix is left out bit by bit. */
function serviceDomains({ hostname, address }: V1Service, domain: string): string[] {
  const labels = hostname.split(".");
  const shared = sharedLabels(labels, domain.split("."));
  const own = labels.length - shared;
  const names = labels.map((_, i) => labels.slice(0, i + 1).join(".")).slice(Math.max(own - 1, 0));
  return address === "" ? names : [...names, address];
}

/** How many labels at the end are the same. */
function sharedLabels(a: readonly string[], b: readonly string[]): number {
  let shared = 0;
  while (shared < Math.min(a.length, b.length) && a.at(-1 - shared) === b.at(-1 - shared)) shared++;
  return shared;
}

/** Sorted by name; a domain belongs to the first that has it, as Envoy refuses all routes where two have it. */
export function normaliseHosts(hosts: readonly VirtualHostPlan[]): VirtualHostPlan[] {
  const taken = new Set<string>();
  return hosts
    .toSorted((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)))
    .flatMap((host) => {
      const domains = host.domains.filter((domain) => !taken.has(domain));
      for (const domain of domains) taken.add(domain);
      return domains.length === 0 ? [] : [{ ...host, domains }];
    });
}

/** All ports' hosts, for a forward proxy: requests name the port, which only 80 may do without. */
export const combineHosts = (tables: RouteTables): VirtualHostPlan[] =>
  normaliseHosts(
    [...tables].flatMap(([port, hosts]) =>
      port === 80
        ? hosts
        : hosts.map((host) => ({ ...host, domains: host.domains.filter((domain) => /:\d+$/.test(domain)) })),
    ),
  );

export const clustersOf = (hosts: readonly VirtualHostPlan[]): ClusterPlan[] =>
  hosts.flatMap(({ routes }) => routes.flatMap(({ clusters }) => clusters));

export const faultsOf = (hosts: readonly VirtualHostPlan[]): HttpFilter[] =>
  hosts.flatMap(({ routes }) => routes.flatMap(({ faults }) => faults));

/** A route configuration as JSON. */
export const renderHosts = (hosts: readonly VirtualHostPlan[], age: Age): object => ({
  ...(age === "0.7" && { validate_clusters: true }),
  virtual_hosts: hosts.map(({ name, domains, routes }) => ({
    name,
    domains,
    routes: routes.map((route) => renderRoute(route, age)),
  })),
});
