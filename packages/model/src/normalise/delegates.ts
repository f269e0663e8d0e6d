import { create } from "@bufbuild/protobuf";
import { type HttpRoute, HttpRouteSchema, RouteTableSchema } from "@keelson/protos/route";
import { describeObject, type Problem, problemOf } from "../config-object.ts";
import type { RouteOrigin, RouteSource } from "../model.ts";
import { joinedName, mergeMatches } from "./merge-matches.ts";
import type { Normalised } from "./normalised.ts";
import type { VirtualServiceParts } from "./virtual-services.ts";

/**
 * A VirtualService whose delegates' routes stand in the place of the routes that name them.
 * @param delegateOf finds a VirtualService without hosts by "namespace/name"
 */
export function expandDelegates(
  { source, delegates }: VirtualServiceParts,
  delegateOf: (name: string) => VirtualServiceParts | undefined,
): Normalised<RouteSource> {
  if (delegates.size === 0) return { value: source, problems: [] };
  const problems: Problem[] = [];
  const expanded = source.table.http.flatMap((route, i) => {
    const origin = source.http[i];
    const name = delegates.get(i);
    if (origin === undefined) return [];
    if (name === undefined) return [{ route, origin }];
    const path = [...origin.path, "delegate"];
    const delegate = delegateOf(name);
    if (delegate === undefined || !isVisible(delegate, source.table.namespace)) {
      const text = `there is no VirtualService ${name} without hosts that namespace ${source.table.namespace} sees`;
      const absent = { what: "rule", hostname: name } as const;
      problems.push(problemOf("warning", origin.object, path, `${text}; the route is left out`, absent));
      return [];
    }
    return mergedRoutes(route, origin, delegate, problems);
  });
  const table = create(RouteTableSchema, { ...source.table, http: expanded.map(({ route }) => route) });
  return { value: { ...source, table, http: expanded.map(({ origin }) => origin) }, problems };
}

const isVisible = ({ source }: VirtualServiceParts, namespace: string): boolean => {
  const { exportedTo } = source.table;
  return exportedTo.length === 0 || exportedTo.includes(namespace);
};

function mergedRoutes(
  root: HttpRoute,
  { object: rootObject }: RouteOrigin,
  { source, delegates }: VirtualServiceParts,
  problems: Problem[],
): { route: HttpRoute; origin: RouteOrigin }[] {
  return source.table.http.flatMap((route, i) => {
    const origin = source.http[i];
    if (origin === undefined) return [];
    if (delegates.has(i)) {
      const text = "a delegate has no delegates of its own; the route is left out";
      problems.push(problemOf("error", origin.object, [...origin.path, "delegate"], text));
      return [];
    }
    const matches = mergeMatches(root.matches, route.matches);
    if (matches === undefined) {
      const text = `is no part of what ${describeObject(rootObject)} delegates; the route is left out`;
      problems.push(problemOf("warning", origin.object, [...origin.path, "match"], text));
      return [];
    }
    return [{ route: mergeRoute(root, { ...route, matches }), origin }];
  });
}

/** What the delegate does not say, the route says. */
function mergeRoute(root: HttpRoute, delegate: HttpRoute): HttpRoute {
  const { rewrite, directResponse, timeoutMs, retries, fault, cors } = root;
  const saysHeaders = delegate.requestHeaders !== undefined || delegate.responseHeaders !== undefined;
  return create(HttpRouteSchema, {
    ...(rewrite && { rewrite }),
    ...(directResponse && { directResponse }),
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(retries && { retries }),
    ...(fault && { fault }),
    ...(cors && { cors }),
    ...(!saysHeaders && root.requestHeaders && { requestHeaders: root.requestHeaders }),
    ...(!saysHeaders && root.responseHeaders && { responseHeaders: root.responseHeaders }),
    ...delegate,
    name: joinedName(root.name, delegate.name),
    mirrors: delegate.mirrors.length > 0 ? delegate.mirrors : root.mirrors,
  });
}
