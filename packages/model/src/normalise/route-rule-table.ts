import { create } from "@bufbuild/protobuf";
import { RouteTableSchema } from "@keelson/protos/route";
import { meshGateway, type RouteOrigin, type RouteSource } from "../model.ts";
import type { HostRoute } from "./route-rules.ts";

/** @param routes of this host, in the order in which they are asked; at least one */
export function routeRuleTable(hostname: string, routes: readonly HostRoute[]): RouteSource {
  const http = routes.filter((route) => route.http !== undefined);
  const tcp = routes.filter((route) => route.tcp !== undefined);
  const table = create(RouteTableSchema, {
    name: `RouteRule/${hostname}`,
    namespace: routes[0]?.object.metadata.namespace ?? "",
    hosts: [hostname],
    gateways: [meshGateway],
    http: http.flatMap((route) => route.http ?? []),
    tcp: tcp.flatMap((route) => route.tcp ?? []),
  });
  return { table, http: http.map(originOf), tcp: tcp.map(originOf), tls: [] };
}

const originOf = ({ object }: HostRoute): RouteOrigin => ({
  object,
  path: ["spec"],
  precedence: object.body.spec.precedence,
});
