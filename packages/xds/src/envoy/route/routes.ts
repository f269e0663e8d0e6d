import { create } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import { type Route, RouteSchema } from "@envoyproxy/xds-protos/envoy/config/route/v3/route_components_pb.js";
import type { HttpMatch } from "@keelson/protos/match";
import type { HttpRoute, RouteTable } from "@keelson/protos/route";
import type { ConsistentHash } from "@keelson/protos/traffic-policy";
import type { RoutingContext } from "../context.ts";
import { includesLabels } from "../hosts.ts";
import { httpFilterNames } from "../listener/http-filters.ts";
import { ruleMetadata } from "../rule-names.ts";
import type { Init } from "../wire.ts";
import { routeAction, timeoutFields } from "./action.ts";
import { corsConfig } from "./cors.ts";
import { faultConfig } from "./fault.ts";
import { hashPolicy } from "./hash-policy.ts";
import { headerFields } from "./headers.ts";
import { matchesAll, pathName, routeMatch } from "./match.ts";
import { redirectAction } from "./redirect.ts";
import { retryPolicy } from "./retries.ts";

/** Where the routes of a table are used. */
export interface RouteInputs {
  readonly table: RouteTable;
  /** What the caller dialled. */
  readonly port: number;
  /** "mesh", or the gateway. */
  readonly gateway: string;
  readonly isTls: boolean;
  /** Cluster of the host that is asked for, for rules that leave the choice as it is. */
  readonly defaultCluster: string;
  readonly context: RoutingContext;
}

/** Whether what is known of the caller and the port lets a match hold. */
function mayMatch(match: HttpMatch, { port, gateway, context }: RouteInputs): boolean {
  const { source, gateways } = match;
  const { proxy } = context;
  if (match.port !== 0 && match.port !== port) return false;
  if (gateways.length > 0) return gateways.includes(gateway);
  if (source === undefined) return true;
  if (source.namespace !== "" && source.namespace !== proxy.namespace) return false;
  if (source.hostname !== "" && !proxy.hostnames.includes(source.hostname)) return false;
  return includesLabels(proxy.labels, source.labels);
}

/** The routes of a table in its order, up to the first that takes every request. */
export function routesOf(inputs: RouteInputs): Route[] {
  const routes: Route[] = [];
  for (const route of inputs.table.http) {
    const matches = route.matches.length === 0 ? [undefined] : route.matches;
    for (const match of matches) {
      if (match !== undefined && !mayMatch(match, inputs)) continue;
      routes.push(routeOf(route, match, inputs));
      if (matchesAll(match)) return routes;
    }
  }
  return routes;
}

function perFilterConfig({ fault, cors }: HttpRoute): Record<string, Any> {
  const faults = fault && faultConfig(fault);
  return {
    ...(cors && { [httpFilterNames.cors]: corsConfig(cors) }),
    ...(faults && { [httpFilterNames.fault]: faults }),
  };
}

type ActionOneof = NonNullable<Init<typeof RouteSchema>["action"]>;

function actionOf(route: HttpRoute, match: HttpMatch | undefined, inputs: RouteInputs): ActionOneof {
  const { redirect, directResponse } = route;
  if (redirect !== undefined) return { case: "redirect", value: redirectAction(redirect, inputs) };
  if (directResponse !== undefined) {
    const { status, body } = directResponse;
    const content = body.length > 0 && { body: { specifier: { case: "inlineBytes" as const, value: body } } };
    return { case: "directResponse", value: { status, ...content } };
  }
  return { case: "route", value: routeAction({ ...inputs, route, match }) };
}

function routeOf(route: HttpRoute, match: HttpMatch | undefined, inputs: RouteInputs): Route {
  const { table, port } = inputs;
  const [only] = route.destinations.length === 1 ? route.destinations : [];
  const action = actionOf(route, match, inputs);
  const metadata = ruleMetadata(table.name);
  const name = [route.name, match?.name].filter(Boolean).join(".");
  return create(RouteSchema, {
    name,
    match: routeMatch(match),
    action,
    decorator: { operation: `${operationTarget(action, table, port)}${pathName(match)}` },
    ...(metadata && { metadata }),
    ...(match && { statPrefix: match.statPrefix }),
    ...headerFields(
      [route.requestHeaders, only?.requestHeaders],
      [route.responseHeaders, only?.responseHeaders],
    ),
    typedPerFilterConfig: perFilterConfig(route),
  });
}

/** "host:port" where there is one destination, else the rule's name. */
function operationTarget(action: ActionOneof, table: RouteTable, port: number): string {
  const specifier = action.case === "route" ? action.value.clusterSpecifier : undefined;
  if (specifier?.case !== "cluster") return `${table.name.split("/").at(-1) ?? ""}:${port}`;
  const [, number = "", , host = ""] = specifier.value.split("|");
  return `${host}:${number}`;
}

/** All requests to a host that no rule speaks of. */
export function defaultRoute(cluster: string, hostname: string, port: number, hash?: ConsistentHash): Route {
  const hashed = hashPolicy(hash);
  const retries = retryPolicy(undefined, false);
  return create(RouteSchema, {
    name: "default",
    match: routeMatch(undefined),
    decorator: { operation: `${hostname}:${port}/*` },
    action: {
      case: "route",
      value: {
        clusterSpecifier: { case: "cluster", value: cluster },
        ...timeoutFields(undefined),
        ...(retries && { retryPolicy: retries }),
        hashPolicy: hashed === undefined ? [] : [hashed],
      },
    },
  });
}
