import { Protocol } from "@keelson/protos/policy";
import { type GatewayServer, ServerTls_Mode as Mode, type ServerTls } from "@keelson/protos/proxy";
import type { RouteTable } from "@keelson/protos/route";
import type { Context } from "../context.ts";
import { isSubsetOf } from "../hosts.ts";
import { type ChainPlan, matchAll, type TcpTarget } from "../listener/chain-plan.ts";
import { mayMatch } from "../listener/connection-chains.ts";
import { defaultTcpTarget, ruledTcpTarget } from "../listener/tcp-target.ts";
import { serverNameOf } from "../names.ts";
import type { ServedServer } from "./gateway-listeners.ts";
import { serverNames, sharedHosts } from "./server-hosts.ts";

/** A chain and the TLS that it ends, if any. */
export interface GatewayChain extends ChainPlan {
  readonly tls: ServerTls | undefined;
}

/** Finds the tables that a Gateway's rules are in. */
export type TablesOf = (gateway: string) => readonly RouteTable[];

/** "*" is no server name to look for: it takes what no other chain takes. */
const namesOf = (server: GatewayServer): string[] => {
  const names = serverNames(server);
  return names.includes("*") ? [] : [...new Set(names)].sort();
};

/** The first rule for connections on the server's port. */
function ruledConnections(
  { server, gateway }: ServedServer,
  context: Context,
  tablesOf: TablesOf,
): TcpTarget | undefined {
  for (const table of tablesOf(gateway)) {
    if (sharedHosts(server, table).length === 0) continue;
    const route = table.tcp.find(
      ({ matches, destinations }) =>
        destinations.length > 0 &&
        (matches.length === 0 || matches.some((match) => mayMatch(match, server.port, [gateway], context))),
    );
    if (route !== undefined) return ruledTcpTarget(table.name, route.destinations, server.port, context);
  }
  return undefined;
}

/** Rules that tell TLS by its server name, without ending it. */
function passedTls({ server, gateway }: ServedServer, context: Context, tablesOf: TablesOf): GatewayChain[] {
  return tablesOf(gateway).flatMap((table) => {
    if (sharedHosts(server, table).length === 0) return [];
    return table.tls.flatMap(({ matches, destinations }) =>
      matches
        .filter((match) => destinations.length > 0 && mayMatch(match, server.port, [gateway], context))
        .map(({ sniHosts }) => ({
          match: {
            ...matchAll,
            serverNames: sniHosts.includes("*") ? [] : sniHosts.map((name) => name.toLowerCase()),
          },
          target: ruledTcpTarget(table.name, destinations, server.port, context),
          tls: undefined,
        })),
    );
  });
}

/** The protocols that sidecars offer in mutual TLS of the mesh. */
const meshProtocols = ["istio", "istio-peer-exchange", "istio-http/1.0", "istio-http/1.1", "istio-h2"];

/** Mutual TLS of the mesh from another network: the server name is the cluster's. */
function automaticallyPassedTls({ server }: ServedServer, context: Context): GatewayChain[] {
  const offered = serverNames(server);
  return context.scope.services.flatMap(({ service, ports }) => {
    if (service.meshExternal || !offered.some((host) => isSubsetOf(service.hostname, host))) return [];
    const subsets = ["", ...(context.policyOf(service)?.subsets ?? []).map(({ name }) => name)];
    return ports
      .filter(({ protocol }) => protocol !== Protocol.UDP)
      .flatMap(({ port }) =>
        subsets.map((subset): GatewayChain => {
          const cluster = serverNameOf(port, subset, service.hostname);
          return {
            match: { ...matchAll, serverNames: [cluster], applicationProtocols: meshProtocols },
            target: {
              ...defaultTcpTarget(service, port, context),
              statPrefix: cluster,
              clusters: [{ name: cluster, weight: 1 }],
            },
            tls: undefined,
          };
        }),
      );
  });
}

/** The chains of one server; none where no rule says what to do with its connections. */
export function gatewayChains(served: ServedServer, context: Context, tablesOf: TablesOf): GatewayChain[] {
  const { server, kind, routeName } = served;
  if (routeName !== undefined) {
    const target = { kind: "http" as const, routeName, grpcWeb: false, forwardProxy: false };
    const match = kind === "tls" ? { ...matchAll, serverNames: namesOf(server) } : matchAll;
    return [{ match, target, tls: kind === "tls" ? server.tls : undefined }];
  }
  if (server.tls?.mode === Mode.AUTO_PASSTHROUGH) return automaticallyPassedTls(served, context);
  if (server.tls?.mode === Mode.PASSTHROUGH) return passedTls(served, context, tablesOf);
  const target = ruledConnections(served, context, tablesOf);
  if (target === undefined) return [];
  const match = kind === "tls" ? { ...matchAll, serverNames: namesOf(server) } : matchAll;
  return [{ match, target, tls: kind === "tls" ? server.tls : undefined }];
}
