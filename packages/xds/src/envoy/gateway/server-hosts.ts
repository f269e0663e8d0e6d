import type { GatewayServer } from "@keelson/protos/proxy";
import type { RouteTable } from "@keelson/protos/route";
import { intersect } from "../hosts.ts";

/** A server's "namespace/host" entries as names, whatever the namespace. */
export const serverNames = ({ hosts }: GatewayServer): string[] =>
  hosts.map((host) => host.slice(host.indexOf("/") + 1).toLowerCase());

/** Hosts of a server that rules of a namespace may take. */
const hostsFor = ({ hosts }: GatewayServer, namespace: string): string[] =>
  hosts.flatMap((entry) => {
    const slash = entry.indexOf("/");
    const wanted = slash === -1 ? "*" : entry.slice(0, slash);
    return wanted === "*" || wanted === namespace ? entry.slice(slash + 1) : [];
  });

/** Hosts that a server offers and a table speaks of, each as narrow as the narrower of the two. */
export function sharedHosts(server: GatewayServer, table: RouteTable): string[] {
  const offered = hostsFor(server, table.namespace);
  const shared = offered.flatMap((host) => table.hosts.flatMap((wanted) => intersect(host, wanted) ?? []));
  return [...new Set(shared.map((host) => host.toLowerCase()))];
}
