import type { Service } from "@keelson/protos/policy";
import type { RouteTable } from "@keelson/protos/route";
import { isSubsetOf, isWildcard, overlap } from "../hosts.ts";
import type { RouteTableIndex } from "../index/route-tables.ts";
import { isExportedTo, type ServiceIndex } from "../index/services.ts";

interface HostList {
  readonly exact: Set<string>;
  readonly wildcards: string[];
  readonly excluded: string[];
}

const anyNamespace = "*";
const exclusion = "~";

/**
 * The hosts of an egress listener: "namespace/host", "*" for all of either, "./host" for the proxy's own namespace,
 * "~namespace/host" for what is left out ("~/*" leaves out everything).
 */
export class Imports {
  private readonly namespaces = new Map<string, HostList>();
  private readonly namespace: string;

  constructor(hosts: readonly string[], namespace: string) {
    this.namespace = namespace;
    for (const entry of hosts) {
      const slash = entry.indexOf("/");
      if (slash === -1) continue;
      const host = entry.slice(slash + 1);
      const excluded = entry.startsWith(exclusion);
      const list = this.listOf(entry.slice(excluded ? 1 : 0, slash));
      if (excluded) list.excluded.push(host);
      else if (isWildcard(host)) list.wildcards.push(host);
      else list.exact.add(host);
    }
  }

  private listOf(written: string): HostList {
    const namespace = written === "." ? this.namespace : written === "" ? anyNamespace : written;
    const list = this.namespaces.get(namespace) ?? { exact: new Set(), wildcards: [], excluded: [] };
    this.namespaces.set(namespace, list);
    return list;
  }

  private listsFor(namespace: string): HostList[] {
    return [this.namespaces.get(namespace), this.namespaces.get(anyNamespace)].filter(
      (list) => list !== undefined,
    );
  }

  /** Services that are imported and visible, in the order of `index`. */
  services(index: ServiceIndex): readonly Service[] {
    const everything = this.namespaces.size === 1 && this.namespaces.get(anyNamespace);
    if (everything && everything.wildcards.includes("*") && everything.excluded.length === 0) {
      return index.visibleTo(this.namespace);
    }
    return this.candidates(index).filter(
      (service) => isExportedTo(service, this.namespace) && this.includesService(service),
    );
  }

  /** A superset of what is imported, small where the hosts name services or namespaces. */
  private candidates(index: ServiceIndex): readonly Service[] {
    const found = new Set<Service>();
    for (const [namespace, { exact, wildcards }] of this.namespaces) {
      if (namespace === anyNamespace && wildcards.length > 0) return index.all;
      for (const host of exact) {
        const service = index.get(host);
        if (service !== undefined) found.add(service);
      }
      if (wildcards.length > 0) for (const service of index.inNamespace(namespace)) found.add(service);
    }
    return [...found].sort((a, b) => (a.hostname < b.hostname ? -1 : 1));
  }

  private includesService({ namespace, hostname, aliases }: Service): boolean {
    const lists = this.listsFor(namespace);
    if (lists.some(({ excluded }) => excluded.some((host) => isSubsetOf(hostname, host)))) return false;
    return lists.some(({ exact, wildcards }) =>
      [hostname, ...aliases].some(
        (name) => exact.has(name) || wildcards.some((pattern) => isSubsetOf(name, pattern)),
      ),
    );
  }

  /** Route tables of the mesh that are visible and have a host in common with what is imported. */
  routeTables(index: RouteTableIndex): readonly RouteTable[] {
    const found = new Set<RouteTable>();
    for (const [namespace, { exact, wildcards }] of this.namespaces) {
      const here = namespace === anyNamespace ? index.mesh : index.inNamespace(namespace);
      if (wildcards.length > 0) for (const table of here) found.add(table);
      else for (const host of exact) for (const table of index.withHost(host)) found.add(table);
    }
    return index
      .sorted(found)
      .filter((table) => isExportedTo(table, this.namespace) && this.includesTable(table));
  }

  private includesTable({ namespace, hosts }: RouteTable): boolean {
    return this.listsFor(namespace).some(({ exact, wildcards }) =>
      hosts.some(
        (host) =>
          exact.has(host) ||
          wildcards.some((pattern) => overlap(host, pattern)) ||
          (isWildcard(host) && [...exact].some((name) => isSubsetOf(name, host))),
      ),
    );
  }
}
