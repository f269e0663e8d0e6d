import { create } from "@bufbuild/protobuf";
import { HttpMatchSchema } from "@keelson/protos/match";
import { type HttpRoute, HttpRouteSchema, RouteTableSchema } from "@keelson/protos/route";
import { meshGateway, type RouteSource } from "../model.ts";
import type { Attachment } from "./http-route-parents.ts";
import type { MatchedRoute } from "./http-routes.ts";

/** The routes of one HTTPRoute at one place. */
export interface AttachedRoutes {
  readonly attachment: Attachment;
  readonly routes: readonly MatchedRoute[];
}

/** Routes with one name are one table, whatever objects they come from. */
export function httpTableName({ attachment: { gateway, host, exportedTo } }: AttachedRoutes): string {
  return ["HTTPRoute", gateway, ...exportedTo, host].join("/");
}

/**
 * One table, the most specific match first (Gateway API, HTTPRouteRule.matches).
 * @param attached of one name; at least one, the older object first
 */
export function httpRouteTable(name: string, attached: readonly AttachedRoutes[]): RouteSource {
  const [first] = attached;
  const { gateway = meshGateway, host = "", exportedTo = [] } = first?.attachment ?? {};
  const ordered = attached
    .flatMap(({ attachment, routes }) => routes.map((route) => withPort(route, attachment.port)))
    .sort(bySpecificity);
  const table = create(RouteTableSchema, {
    name,
    namespace: first?.routes[0]?.object.metadata.namespace ?? "",
    hosts: [host],
    gateways: [gateway],
    exportedTo: [...exportedTo],
    http: ordered.map(({ route }) => route),
  });
  const http = ordered.map(({ object, path }) => ({ object, path, precedence: 0 }));
  return { table, http, tcp: [], tls: [] };
}

/** A parent's port is a condition of every match. */
function withPort(matched: MatchedRoute, port: number): MatchedRoute {
  if (port === 0) return matched;
  const { matches } = matched.route;
  const route: HttpRoute = create(HttpRouteSchema, {
    ...matched.route,
    matches: (matches.length === 0 ? [create(HttpMatchSchema)] : matches).map((match) =>
      create(HttpMatchSchema, { ...match, port }),
    ),
  });
  return { ...matched, route };
}

/** The sort is stable, so among equals the older object, then the earlier rule stays first. */
function bySpecificity(a: MatchedRoute, b: MatchedRoute): number {
  const [first, second] = [specificity(a), specificity(b)];
  const i = first.findIndex((rank, at) => rank !== second[at]);
  return i === -1 ? 0 : (second[i] ?? 0) - (first[i] ?? 0);
}

const pathRanks = { Exact: 3, PathPrefix: 2, RegularExpression: 1 } as const;

function specificity({ match }: MatchedRoute): readonly number[] {
  const { type, value } = match?.path ?? { type: "PathPrefix", value: "/" };
  return [
    pathRanks[type],
    value.length,
    match?.method === undefined ? 0 : 1,
    match?.headers.length ?? 0,
    match?.queryParams.length ?? 0,
  ];
}
