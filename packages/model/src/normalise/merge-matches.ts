import { create } from "@bufbuild/protobuf";
import {
  type HeaderMatch,
  type HttpMatch,
  HttpMatchSchema,
  type QueryParameterMatch,
  type SourceMatch,
  SourceMatchSchema,
  type StringMatch,
} from "@keelson/protos/match";
import { sortedEntries } from "./string-match.ts";

/**
 * Both must hold: the conditions of a route, and those of the delegate that decides in its place (Istio: each of the
 * delegate's has to be narrower than one of the route's).
 * @returns undefined if one of the delegate's matches is no part of what the route takes
 */
export function mergeMatches(
  root: readonly HttpMatch[],
  delegate: readonly HttpMatch[],
): HttpMatch[] | undefined {
  if (root.length === 0) return [...delegate];
  if (delegate.length === 0) return [...root];
  const merged = delegate.map((inner) =>
    root.filter((outer) => !conflicts(outer, inner)).map((outer) => mergeMatch(outer, inner)),
  );
  return merged.some((found) => found.length === 0) ? undefined : merged.flat();
}

function mergeMatch(outer: HttpMatch, inner: HttpMatch): HttpMatch {
  const parts = {
    uri: inner.uri ?? outer.uri,
    scheme: inner.scheme ?? outer.scheme,
    method: inner.method ?? outer.method,
    authority: inner.authority ?? outer.authority,
    source: mergeSources(outer.source, inner.source),
  };
  return create(HttpMatchSchema, {
    name: joinedName(outer.name, inner.name),
    ...(parts.uri && { uri: parts.uri }),
    ...(parts.scheme && { scheme: parts.scheme }),
    ...(parts.method && { method: parts.method }),
    ...(parts.authority && { authority: parts.authority }),
    ...(parts.source && { source: parts.source }),
    ignoreUriCase: inner.ignoreUriCase,
    headers: byName([...outer.headers, ...inner.headers], ({ name, invert }) => `${name} ${invert}`),
    queryParameters: byName([...outer.queryParameters, ...inner.queryParameters], ({ name }) => name),
    port: inner.port || outer.port,
    gateways: inner.gateways.length > 0 ? inner.gateways : outer.gateways,
    statPrefix: inner.statPrefix || outer.statPrefix,
  });
}

/** "root-delegate", or the one that is there. */
export const joinedName = (outer: string, inner: string): string =>
  [outer, inner].filter((name) => name !== "").join("-");

/** Of one key, the last. */
function byName<T extends { name: string }>(all: readonly T[], keyOf: (one: T) => string): T[] {
  const found = Object.fromEntries(all.map((one) => [keyOf(one), one]));
  return sortedEntries(found).map(([, one]) => one);
}

function mergeSources(outer?: SourceMatch, inner?: SourceMatch): SourceMatch | undefined {
  if (outer === undefined || inner === undefined) return inner ?? outer;
  return create(SourceMatchSchema, {
    labels: Object.fromEntries(sortedEntries({ ...outer.labels, ...inner.labels })),
    namespace: inner.namespace || outer.namespace,
  });
}

function conflicts(outer: HttpMatch, inner: HttpMatch): boolean {
  const texts = (["uri", "scheme", "method", "authority"] as const).some(
    (field) =>
      outer[field] !== undefined && inner[field] !== undefined && !isNarrower(inner[field], outer[field]),
  );
  const labels = Object.entries(inner.source?.labels ?? {});
  return (
    texts ||
    namedConflict(outer.headers, inner.headers) ||
    namedConflict(outer.queryParameters, inner.queryParameters) ||
    outer.ignoreUriCase !== inner.ignoreUriCase ||
    (outer.port !== 0 && inner.port !== 0 && outer.port !== inner.port) ||
    (outer.source?.namespace !== undefined &&
      outer.source.namespace !== "" &&
      inner.source?.namespace !== outer.source.namespace) ||
    labels.some(([key, value]) => (outer.source?.labels[key] ?? value) !== value) ||
    (outer.gateways.length > 0 && inner.gateways.some((name) => !outer.gateways.includes(name)))
  );
}

type Named = Pick<HeaderMatch, "name" | "invert" | "value"> | Pick<QueryParameterMatch, "name" | "value">;

const inverted = (one: Named): boolean => "invert" in one && one.invert;

const namedConflict = (outer: readonly Named[], inner: readonly Named[]): boolean =>
  inner.some((one) => {
    const other = outer.find(
      ({ name, ...more }) => name === one.name && inverted({ name, ...more }) === inverted(one),
    );
    return other !== undefined && !isNarrower(one.value, other.value);
  });

/** Whether everything that `inner` takes is taken by `outer`; of regular expressions that is not known. */
function isNarrower(inner: StringMatch | undefined, outer: StringMatch | undefined): boolean {
  const [narrow, wide] = [inner?.how, outer?.how];
  if (narrow?.case === undefined || wide?.case === undefined) return false;
  if (wide.case === "exact") return narrow.case === "exact" && narrow.value === wide.value;
  return wide.case === "prefix" && narrow.case !== "regex" && narrow.value.startsWith(wide.value);
}
