import { create } from "@bufbuild/protobuf";
import {
  type RouteConfiguration,
  RouteConfigurationSchema,
} from "@envoyproxy/xds-protos/envoy/config/route/v3/route_pb.js";
import type { Service, ServicePort } from "@keelson/protos/policy";
import type { RouteTable } from "@keelson/protos/route";
import { isSubsetOf } from "../hosts.ts";
import { meshGateway } from "../index/route-tables.ts";
import type { TcpTarget } from "../listener/chain-plan.ts";
import { mayMatch } from "../listener/connection-chains.ts";
import { ruledTcpTarget } from "../listener/tcp-target.ts";
import { inboundRoutes } from "../route/inbound-route.ts";
import { matchesAll } from "../route/match.ts";
import { routesOf } from "../route/routes.ts";
import type { WaypointContext } from "./waypoint-context.ts";

/** The rules for a service's callers. */
const tablesFor = ({ hostname }: Service, { scope }: WaypointContext): RouteTable[] =>
  scope.egress.flatMap(({ tables }) =>
    tables.filter(({ hosts }) => hosts.some((host) => isSubsetOf(hostname, host))),
  );

/** Requests to a service as its rules say; the waypoint's listener has them itself. */
export function vipRoutes(
  service: Service,
  { port, applicationProtocol }: ServicePort,
  cluster: string,
  context: WaypointContext,
): RouteConfiguration {
  const inputs = { port, gateway: meshGateway, isTls: false, defaultCluster: cluster, context };
  const tables = tablesFor(service, context).filter(({ http }) => http.length > 0);
  const last = tables.findIndex(({ http }) => http.some(({ matches }) => takesAll(matches)));
  const used = last === -1 ? tables : tables.slice(0, last + 1);
  const routes = used.flatMap((table) => routesOf({ ...inputs, table }));
  if (routes.length === 0) {
    const { hostname } = service;
    return inboundRoutes({ cluster, servicePort: port, hostname, protocol: applicationProtocol });
  }
  return create(RouteConfigurationSchema, {
    name: cluster,
    validateClusters: false,
    virtualHosts: [{ name: `inbound|http|${port}`, domains: ["*"], routes }],
  });
}

const takesAll = (matches: RouteTable["http"][number]["matches"]): boolean =>
  matches.length === 0 || matches.some(matchesAll);

/** Where the first rule sends a service's connections; rules for TLS come first, without a look at server names. */
export function vipConnections(
  service: Service,
  port: number,
  context: WaypointContext,
): TcpTarget | undefined {
  const tables = tablesFor(service, context);
  for (const part of ["tls", "tcp"] as const) {
    for (const table of tables) {
      const route = table[part].find(
        ({ matches, destinations }) =>
          destinations.length > 0 &&
          (matches.length === 0 ||
            matches.some(
              (match) =>
                mayMatch(match, port, [meshGateway], context) &&
                (part === "tcp" || match.sniHosts.length === 0 || match.sniHosts.includes(service.hostname)),
            )),
      );
      if (route !== undefined) return ruledTcpTarget(table.name, route.destinations, port, context);
    }
  }
  return undefined;
}
