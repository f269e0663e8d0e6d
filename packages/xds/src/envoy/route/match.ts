import type {
  HeaderMatcherSchema,
  QueryParameterMatcherSchema,
  RouteMatchSchema,
} from "@envoyproxy/xds-protos/envoy/config/route/v3/route_components_pb.js";
import type { StringMatcherSchema } from "@envoyproxy/xds-protos/envoy/type/matcher/v3/string_pb.js";
import type { HeaderMatch, HttpMatch, StringMatch } from "@keelson/protos/match";
import type { Init } from "../wire.ts";

/** @returns undefined for a match that any value fulfils. Istio takes the regular expression "*" for one. */
export function stringMatcher(match: StringMatch | undefined): Init<typeof StringMatcherSchema> | undefined {
  const how = match?.how;
  switch (how?.case) {
    case "exact":
      return { matchPattern: { case: "exact", value: how.value } };
    case "prefix":
      return { matchPattern: { case: "prefix", value: how.value } };
    case "regex":
      if (how.value === "*") return undefined;
      return { matchPattern: { case: "safeRegex", value: { regex: how.value } } };
    default:
      return undefined;
  }
}

function headerMatcher({
  name,
  value,
  invert,
}: Pick<HeaderMatch, "name" | "value" | "invert">): Init<typeof HeaderMatcherSchema> {
  const matcher = stringMatcher(value);
  if (matcher === undefined) {
    return { name, invertMatch: invert, headerMatchSpecifier: { case: "presentMatch", value: true } };
  }
  return {
    name,
    invertMatch: invert,
    headerMatchSpecifier: { case: "stringMatch", value: matcher },
    // "not this value" holds for requests without the header.
    treatMissingHeaderAsEmpty: invert,
  };
}

const pseudoHeader = (name: string, value: StringMatch | undefined): Init<typeof HeaderMatcherSchema>[] =>
  value === undefined ? [] : [headerMatcher({ name, value, invert: false })];

type PathSpecifier = NonNullable<Init<typeof RouteMatchSchema>["pathSpecifier"]>;

function pathSpecifier(uri: StringMatch | undefined, wholeSegments = false): PathSpecifier {
  const how = uri?.how;
  switch (how?.case) {
    case "exact":
      return { case: "path", value: how.value };
    case "prefix":
      if (how.value === "" || how.value === "/") return { case: "prefix", value: "/" };
      return { case: wholeSegments ? "pathSeparatedPrefix" : "prefix", value: how.value };
    case "regex":
      return { case: "safeRegex", value: { regex: how.value } };
    default:
      return { case: "prefix", value: "/" };
  }
}

const byName = (a: { name?: string }, b: { name?: string }): number =>
  (a.name ?? "") < (b.name ?? "") ? -1 : 1;

/** What a request must look like. Undefined: like anything. */
export function routeMatch(match: HttpMatch | undefined): Init<typeof RouteMatchSchema> {
  if (match === undefined) return { pathSpecifier: pathSpecifier(undefined) };
  return {
    pathSpecifier: pathSpecifier(match.uri, match.wholeSegments),
    caseSensitive: !match.ignoreUriCase,
    headers: [
      ...match.headers.map(headerMatcher).sort(byName),
      ...pseudoHeader(":method", match.method),
      ...pseudoHeader(":authority", match.authority),
      ...pseudoHeader(":scheme", match.scheme),
    ],
    queryParameters: match.queryParameters
      .map(({ name, value }): Init<typeof QueryParameterMatcherSchema> => {
        const matcher = stringMatcher(value);
        return matcher === undefined
          ? { name, queryParameterMatchSpecifier: { case: "presentMatch", value: true } }
          : { name, queryParameterMatchSpecifier: { case: "stringMatch", value: matcher } };
      })
      .sort(byName),
  };
}

/** Whether every request fulfils the match, so that no later route is ever asked. */
export function matchesAll(match: HttpMatch | undefined): boolean {
  if (match === undefined) return true;
  const how = match.uri?.how;
  const anyPath =
    how?.case === undefined ||
    (how.case === "prefix" && (how.value === "/" || how.value === "")) ||
    (how.case === "regex" && how.value === ".*");
  const { headers, queryParameters, method, authority, scheme } = match;
  return anyPath && headers.length === 0 && queryParameters.length === 0 && !method && !authority && !scheme;
}

/** "/reviews*": the path of a match as traces name it. */
export function pathName(match: HttpMatch | undefined): string {
  const how = match?.uri?.how;
  if (how?.case === undefined) return "/*";
  return how.case === "prefix" ? `${how.value}*` : how.value;
}
