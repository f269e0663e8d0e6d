import type { RouteTable } from "@keelson/protos/route";
import { hostAndPort } from "../envoy/names.ts";
import { anyAddress, httpListener, type ListenerPlan } from "./listeners.ts";
import { narrow, type RequestMatch, requestMatches, takesAll } from "./match.ts";
import { asksMixer, mixerOpaque } from "./mixer.ts";
import { isHttp } from "./protocols.ts";
import type { RoutePlan } from "./routes.ts";
import type { ProxySources } from "./sources.ts";
import { ingressTls } from "./tls.ts";
import { normaliseHosts, type RouteTables, type VirtualHostPlan } from "./virtual-hosts.ts";

const plainPort: number = 80;
const tlsPort: number = 443;

/** Names of route tables that were made from Kubernetes' Ingresses. */
const ingressPrefix = "Ingress/";

const ingressTables = ({ ir }: ProxySources): RouteTable[] =>
  [...ir.routeTables.values()].filter(({ name }) => name.startsWith(ingressPrefix));

/** One port for plain text; one for TLS where an Ingress has a certificate, since these proxies cannot start without. */
export function ingressListeners(sources: ProxySources): ListenerPlan[] {
  const listener = (port: number): ListenerPlan =>
    httpListener(
      {
        address: anyAddress,
        port,
        routes: String(port),
        hostnames: sources.caller.hostnames,
        operation: "egress",
        useRemoteAddress: true,
      },
      sources,
    );
  const encrypts = ingressTables(sources).some((table) => isEncrypted(table, sources));
  return [listener(plainPort), ...(encrypts ? [{ ...listener(tlsPort), tls: ingressTls(sources.age) }] : [])];
}

/** An Ingress with a certificate is served there only, as in Pilot 0.2. */
const isEncrypted = ({ gateways }: RouteTable, { ir }: ProxySources): boolean =>
  gateways.some((name) => ir.gateways.get(name)?.servers.some(({ tls }) => tls !== undefined));

export function ingressRoutes(sources: ProxySources): RouteTables {
  const tables = Map.groupBy(ingressTables(sources), (table) =>
    isEncrypted(table, sources) ? tlsPort : plainPort,
  );
  return new Map(
    [plainPort, tlsPort].map((port) => [
      port,
      normaliseHosts(virtualHosts(tables.get(port) ?? [], port, sources)),
    ]),
  );
}

function virtualHosts(tables: readonly RouteTable[], port: number, sources: ProxySources): VirtualHostPlan[] {
  const byHost = Map.groupBy(
    tables.flatMap((table) => table.hosts.map((host) => ({ host, table }))),
    ({ host }) => host,
  );
  return [...byHost].map(([host, found]) => ({
    name: host,
    domains: host === "*" ? [host] : [host, hostAndPort(host, port)],
    routes: found.flatMap(({ table }) => tableRoutes(table, sources)).sort(comparePaths),
  }));
}

const tableRoutes = ({ http }: RouteTable, sources: ProxySources): RoutePlan[] =>
  http.flatMap(({ matches, destinations: [destination] }) =>
    destination === undefined
      ? []
      : (matches.length === 0 ? [undefined] : matches)
          .flatMap(requestMatches)
          .flatMap((match) => backendRoutes(match, destination.hostname, destination.port, sources)),
  );

/** The rules of the service behind a path, as far as they are about requests with that path. */
function backendRoutes(
  wanted: RequestMatch,
  hostname: string,
  number: number,
  sources: ProxySources,
): RoutePlan[] {
  const { directory, rules, caller, mesh, age } = sources;
  const port = directory.get(hostname)?.ports.find((each) => each.port === number);
  // Pilot's Ingress knew paths only.
  if (port === undefined || !isHttp(port.protocol) || wanted.headers.length > 0) return [];
  const routes = rules.of(hostname, port, caller);
  // Pilot 0.7 left the catch-all out where there is another, as it could come before that in the sorted list.
  const used = age === "0.7" && routes.length > 1 ? routes.filter((route) => !takesAll(route.match)) : routes;
  return used.flatMap((route) => {
    const narrowed = narrow(route.match, wanted);
    if (narrowed === undefined) return [];
    const opaque = asksMixer(sources) ? { opaque: mixerOpaque(mesh, true) } : {};
    return [{ ...route, match: narrowed, ...opaque }];
  });
}

/** Paths first, sorted; then prefixes, the longer before what it begins with. */
function comparePaths({ match: a }: RoutePlan, { match: b }: RoutePlan): number {
  if (a.path !== "" || b.path !== "") {
    if (a.path === "" || b.path === "") return a.path === "" ? 1 : -1;
    return a.path < b.path ? -1 : Number(a.path > b.path);
  }
  return a.prefix > b.prefix ? -1 : Number(a.prefix < b.prefix);
}
