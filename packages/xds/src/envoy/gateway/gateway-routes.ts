import {
  type Route,
  VirtualHost_TlsRequirementType as TlsRequirement,
} from "@envoyproxy/xds-protos/envoy/config/route/v3/route_components_pb.js";
import type { Resource } from "@keelson/protos";
import type { RouteTable } from "@keelson/protos/route";
import type { Context } from "../context.ts";
import { hostAndPort, outboundClusterName } from "../names.ts";
import { routesOf } from "../route/routes.ts";
import { routeConfiguration, virtualHost } from "../route/virtual-host.ts";
import type { TablesOf } from "./gateway-chains.ts";
import { endsTls, type GatewayListener, type ServedServer } from "./gateway-listeners.ts";
import { serverNames, sharedHosts } from "./server-hosts.ts";

/** What one host of a route configuration leads to. */
interface Host {
  readonly tables: { readonly table: RouteTable; readonly served: ServedServer }[];
  redirectsToHttps: boolean;
}

function hostsOf(servers: readonly ServedServer[], tablesOf: TablesOf): Map<string, Host> {
  const hosts = new Map<string, Host>();
  const hostOf = (name: string): Host => {
    const host = hosts.get(name) ?? { tables: [], redirectsToHttps: false };
    hosts.set(name, host);
    return host;
  };
  for (const served of servers) {
    const redirects = served.server.tls?.httpsRedirect === true;
    for (const table of tablesOf(served.gateway)) {
      if (table.http.length === 0) continue;
      for (const name of sharedHosts(served.server, table)) {
        const host = hostOf(name);
        host.redirectsToHttps ||= redirects;
        if (!host.tables.some((known) => known.table === table)) host.tables.push({ table, served });
      }
    }
    if (redirects) for (const name of serverNames(served.server)) hostOf(name).redirectsToHttps = true;
  }
  return hosts;
}

/** Whether every request takes this route, so that none behind it is asked. */
function takesAll({ match }: Route): boolean {
  const path = match?.pathSpecifier;
  const any =
    (path?.case === "prefix" && path.value === "/") ||
    (path?.case === "safeRegex" && path.value.regex === ".*");
  return any && match?.headers.length === 0 && match.queryParameters.length === 0;
}

/** Routes of several tables: those that take everything come last. */
function routesFor({ tables }: Host, hostname: string, context: Context): Route[] {
  const routes = tables.flatMap(({ table, served: { server, gateway } }) => {
    const defaultCluster = outboundClusterName(server.port, "", hostname);
    return routesOf({
      table,
      port: server.port,
      gateway,
      isTls: endsTls(server.tls),
      defaultCluster,
      context,
    });
  });
  return [...routes.filter((route) => !takesAll(route)), ...routes.filter(takesAll)];
}

/** The routes of a gateway by the name that its listeners ask for them. */
export function gatewayRoutes(
  listeners: readonly GatewayListener[],
  context: Context,
  tablesOf: TablesOf,
): Resource[] {
  const byName = new Map<string, ServedServer[]>();
  for (const served of listeners.flatMap(({ servers }) => servers)) {
    if (served.routeName === undefined) continue;
    byName.set(served.routeName, [...(byName.get(served.routeName) ?? []), served]);
  }
  return [...byName].map(([name, servers]) => {
    const port = servers[0]?.server.port ?? 0;
    return routeConfiguration(name, virtualHosts(hostsOf(servers, tablesOf), port, context));
  });
}

/** Hosts that lead to the same tables are one virtual host with several domains. */
function virtualHosts(hosts: ReadonlyMap<string, Host>, port: number, context: Context): Uint8Array[] {
  if (hosts.size === 0) {
    // Without routes: 404, whatever is asked for.
    return [virtualHost({ name: hostAndPort("blackhole", port), domains: ["*"], routes: [] })];
  }
  const groups = new Map<string, { readonly host: Host; readonly domains: string[] }>();
  for (const [domain, host] of [...hosts].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const ownDefault = host.tables.some(({ table }) => table.http.some((route) => leavesDestination(route)));
    const tables = host.tables.map(({ table }) => table.name);
    const key = [host.redirectsToHttps, ...tables, ...(ownDefault ? [domain] : [])].join("\n");
    const group = groups.get(key) ?? { host, domains: [] };
    group.domains.push(domain);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ host, domains }) =>
    virtualHost({
      name: hostAndPort(domains[0] ?? "", port),
      domains,
      routes: routesFor(host, domains[0] ?? "", context),
      ...(host.redirectsToHttps && { requireTls: TlsRequirement.ALL }),
    }),
  );
}

/** A route without a destination leads to the host that was asked for. */
const leavesDestination = ({ destinations, redirect, directResponse }: RouteTable["http"][number]): boolean =>
  destinations.length === 0 && redirect === undefined && directResponse === undefined;
