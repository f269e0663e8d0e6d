import { create } from "@bufbuild/protobuf";
import { type HttpMatch, HttpMatchSchema } from "@keelson/protos/match";
import {
  type HttpRoute,
  HttpRouteSchema,
  type RouteDestination,
  RouteDestinationSchema,
} from "@keelson/protos/route";
import { describeObject, type FieldPath, type Problem, problemOf } from "../config-object.ts";
import { durationMs } from "../kinds/fields.ts";
import type { BackendReference } from "../kinds/gateway-api-fields.ts";
import type { HttpRouteMatch, HttpRouteRule } from "../kinds/http-route.ts";
import type { HttpRouteObject } from "../kinds/index.ts";
import { serviceHostname } from "./hosts.ts";
import { filterParts, headerParts, unsupportedFilter } from "./http-route-filters.ts";
import type { Normalised } from "./normalised.ts";
import type { ReferenceGrants } from "./reference-grants.ts";
import { headerMatch, queryMatch, sortedEntries, stringMatch } from "./string-match.ts";

/** One match of one rule: the Gateway API orders routes by their matches. */
export interface MatchedRoute {
  readonly object: HttpRouteObject;
  readonly path: FieldPath;
  readonly route: HttpRoute;
  /** The match as it was written; absent: everything. */
  readonly match?: HttpRouteMatch;
}

/**
 * The routes of all rules, in the order written.
 * @param grants of backends in other namespaces; undefined: all may be named, as inside the mesh
 */
export function normaliseHttpRoute(
  object: HttpRouteObject,
  domain: string,
  grants: ReferenceGrants | undefined,
): Normalised<readonly MatchedRoute[]> {
  const problems: Problem[] = [];
  const value = object.body.spec.rules.flatMap((rule, i) => {
    const path = ["spec", "rules", i];
    const why =
      unsupportedFilter(rule.filters, "rule") ??
      rule.backendRefs.map(({ filters }) => unsupportedFilter(filters, "backend")).find(Boolean);
    if (why !== undefined) {
      const problem = problemOf("error", object, [...path, "filters"], `${why}; the rule is left out`);
      problems.push({ ...problem, reason: "InvalidFilter" });
      return [];
    }
    const resolve = (backend: BackendReference): RouteDestination =>
      destinationOf(backend, object.metadata.namespace, domain, grants);
    rule.backendRefs.forEach((backend, j) => {
      const invalid = whyInvalid(backend, object.metadata.namespace, grants);
      if (invalid === undefined) return;
      const { text, reason } = invalid;
      problems.push({ ...problemOf("error", object, [...path, "backendRefs", j], text), reason });
    });
    const matches: (HttpRouteMatch | undefined)[] = rule.matches.length === 0 ? [undefined] : rule.matches;
    return matches.map((match) => ({
      object,
      path,
      route: routeOf(rule, match, describeObject(object), resolve),
      ...(match && { match }),
    }));
  });
  return { value, problems };
}

function routeOf(
  rule: HttpRouteRule,
  match: HttpRouteMatch | undefined,
  name: string,
  resolve: (backend: BackendReference) => RouteDestination,
): HttpRoute {
  const isRedirect = rule.filters.some(({ requestRedirect }) => requestRedirect !== undefined);
  const isEmpty = rule.backendRefs.every(({ weight }) => weight === 0);
  const prefix = match?.path?.type === "PathPrefix" ? match.path.value.replace(/\/$/, "") : "";
  return create(HttpRouteSchema, {
    name: rule.name ?? "",
    rule: name,
    matches: match === undefined ? [] : [matchOf(match)],
    destinations: isEmpty
      ? []
      : rule.backendRefs.map((backend) => ({
          ...resolve(backend),
          weight: backend.weight,
          ...headerParts(backend.filters),
        })),
    // Without a backend that gets anything, the answer is 500 (Gateway API, HTTPRouteRule.backendRefs).
    ...(isEmpty && !isRedirect && { directResponse: { status: 500 } }),
    ...timeoutParts(rule),
    ...filterParts(rule.filters, prefix, resolve),
  });
}

function timeoutParts({ timeouts, retry }: HttpRouteRule) {
  const request = durationMs(timeouts?.request ?? "0s");
  const backend = durationMs(timeouts?.backendRequest ?? "0s");
  const timeout = retry === undefined && backend > 0n ? backend : request;
  return {
    ...(timeout > 0n && { timeoutMs: timeout }),
    ...(retry && {
      retries: {
        attempts: retry.attempts,
        perTryTimeoutMs: backend,
        retryOn:
          retry.attempts === 0
            ? ""
            : ["connect-failure", "refused-stream", "unavailable", "cancelled", ...retry.codes].join(","),
        backoffMs: durationMs(retry.backoff ?? "0s"),
      },
    }),
  };
}

function matchOf({ path, headers, queryParams, method }: HttpRouteMatch): HttpMatch {
  const byName = <T extends { name: string }>(all: readonly T[]): [string, T][] =>
    // Of one name, the first counts (Gateway API, HTTPRouteMatch).
    sortedEntries(Object.fromEntries(all.toReversed().map((one) => [one.name, one])));
  const written = ({ type, value }: { type: string; value: string }) =>
    type === "RegularExpression" ? { regex: value } : { exact: value };
  return create(HttpMatchSchema, {
    ...uriOf(path),
    ...(method && { method: stringMatch({ exact: method }) }),
    headers: byName(headers.map((one) => ({ ...one, name: one.name.toLowerCase() }))).map(([name, one]) =>
      headerMatch(name, written(one)),
    ),
    queryParameters: byName(queryParams).map(([name, one]) => queryMatch(name, written(one))),
  });
}

function uriOf(path: HttpRouteMatch["path"]) {
  if (path === undefined) return {};
  const { type, value } = path;
  if (type === "Exact") return { uri: stringMatch({ exact: value }) };
  if (type === "RegularExpression") return { uri: stringMatch({ regex: value }) };
  const prefix = value.replace(/\/$/, "");
  return prefix === "" ? {} : { uri: stringMatch({ prefix }), wholeSegments: true };
}

const isService = ({ group, kind }: BackendReference): boolean =>
  kind === "Service" && (group === "" || group === "core");
/** A host of a ServiceEntry, by its name (Istio). */
const isHostname = ({ group, kind }: BackendReference): boolean =>
  kind === "Hostname" && group === "networking.istio.io";

function whyInvalid(
  backend: BackendReference,
  namespace: string,
  grants: ReferenceGrants | undefined,
): { readonly text: string; readonly reason: string } | undefined {
  if (!isService(backend) && !isHostname(backend)) {
    const text = `kind ${backend.kind} is not supported as a backend; its share is refused`;
    return { text, reason: "InvalidKind" };
  }
  if (grants === undefined || isHostname(backend)) return undefined;
  const from = { group: "gateway.networking.k8s.io", kind: "HTTPRoute", namespace };
  const { name, namespace: elsewhere = namespace } = backend;
  if (grants.allows({ from, to: { group: "", kind: "Service", namespace: elsewhere, name } }))
    return undefined;
  return {
    text: `no ReferenceGrant of namespace ${elsewhere} allows HTTPRoutes of ${namespace} to name its Service ${name}; its share is refused`,
    reason: "RefNotPermitted",
  };
}

function destinationOf(
  backend: BackendReference,
  routeNamespace: string,
  domain: string,
  grants: ReferenceGrants | undefined,
): RouteDestination {
  const { name, namespace = routeNamespace, port = 0 } = backend;
  const invalid = whyInvalid(backend, routeNamespace, grants) !== undefined;
  // No such name is ever there (RFC 2606), so that its share is refused.
  const hostname = invalid
    ? `${name}.${namespace}.invalid`
    : isHostname(backend)
      ? name.toLowerCase()
      : serviceHostname(name, namespace, domain);
  return create(RouteDestinationSchema, { hostname, port });
}
