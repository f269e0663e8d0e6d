import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type HeaderOperations,
  HeaderOperationsSchema,
  type Mirror,
  MirrorSchema,
  type RedirectSchema,
  type RewriteSchema,
  type RouteDestination,
} from "@keelson/protos/route";
import type { BackendReference } from "../kinds/gateway-api-fields.ts";
import type { HeaderModifier, HttpRouteFilter } from "../kinds/http-route.ts";
import { sortedEntries } from "./string-match.ts";

const supported = new Set([
  "RequestHeaderModifier",
  "ResponseHeaderModifier",
  "RequestRedirect",
  "RequestMirror",
  "URLRewrite",
]);
const supportedAtBackends = new Set(["RequestHeaderModifier", "ResponseHeaderModifier"]);

/** Why filters cannot be taken over: leaving one out would change what the rule means. */
export function unsupportedFilter(
  filters: readonly HttpRouteFilter[],
  at: "rule" | "backend",
): string | undefined {
  const known = at === "rule" ? supported : supportedAtBackends;
  const strange = filters.find(({ type }) => !known.has(type));
  return strange && `filter ${strange.type} is not supported here yet`;
}

type Headers = Partial<Record<"requestHeaders" | "responseHeaders", HeaderOperations>>;

interface FilterParts extends Headers {
  readonly redirect?: MessageInitShape<typeof RedirectSchema>;
  readonly rewrite?: MessageInitShape<typeof RewriteSchema>;
  readonly mirrors: Mirror[];
}

/** @param prefix of the path that the route matches, without "/" at its end; empty: all paths */
export function filterParts(
  filters: readonly HttpRouteFilter[],
  prefix: string,
  resolve: (backend: BackendReference) => RouteDestination,
): FilterParts {
  const redirect = filters.find(({ requestRedirect }) => requestRedirect)?.requestRedirect;
  const rewrite = filters.find(({ urlRewrite }) => urlRewrite)?.urlRewrite;
  const mirrors = filters.flatMap(({ requestMirror }) => {
    if (requestMirror === undefined) return [];
    const { backendRef, percent = 100, fraction } = requestMirror;
    const share = fraction === undefined ? percent : (100 * fraction.numerator) / fraction.denominator;
    return share > 0 ? [create(MirrorSchema, { destination: resolve(backendRef), percent: share })] : [];
  });
  return {
    ...headerParts(filters),
    ...(redirect && { redirect: redirectOf(redirect) }),
    ...(rewrite && { rewrite: rewriteOf(rewrite, prefix) }),
    mirrors,
  };
}

export function headerParts(filters: readonly HttpRouteFilter[]): Headers {
  const request = filters.find(({ requestHeaderModifier }) => requestHeaderModifier)?.requestHeaderModifier;
  const response = filters.find(
    ({ responseHeaderModifier }) => responseHeaderModifier,
  )?.responseHeaderModifier;
  return {
    ...(request && { requestHeaders: operationsOf(request) }),
    ...(response && { responseHeaders: operationsOf(response) }),
  };
}

function operationsOf({ set, add, remove }: HeaderModifier): HeaderOperations {
  const record = (list: HeaderModifier["set"]): Record<string, string> =>
    Object.fromEntries(sortedEntries(Object.fromEntries(list.map(({ name, value }) => [name, value]))));
  return create(HeaderOperationsSchema, { set: record(set), add: record(add), remove });
}

function redirectOf({
  scheme,
  hostname,
  path,
  port,
  statusCode,
}: NonNullable<HttpRouteFilter["requestRedirect"]>): MessageInitShape<typeof RedirectSchema> {
  return {
    scheme: scheme ?? "",
    authority: hostname ?? "",
    uri: path?.type === "ReplaceFullPath" ? (path.replaceFullPath ?? "") : "",
    prefixRewrite: path?.type === "ReplacePrefixMatch" ? (path.replacePrefixMatch ?? "") : "",
    port: port ?? 0,
    // The request's own port stays, unless another scheme has another one.
    portFromRequest: port === undefined && scheme === undefined,
    code: statusCode,
  };
}

function rewriteOf(
  { hostname, path }: NonNullable<HttpRouteFilter["urlRewrite"]>,
  prefix: string,
): MessageInitShape<typeof RewriteSchema> {
  const authority = hostname ?? "";
  if (path?.type === "ReplaceFullPath") {
    return { authority, regex: "/.*", substitution: path.replaceFullPath ?? "" };
  }
  if (path === undefined) return { authority };
  const uri = (path.replacePrefixMatch ?? "").replace(/\/$/, "");
  if (uri !== "") return { authority, uri };
  // A prefix that goes altogether leaves one "/" behind.
  return { authority, regex: `^${quoted(prefix)}(/?)(.*)`, substitution: "/\\2" };
}

const quoted = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
