import type { HeaderMatch, HttpMatch, StringMatch } from "@keelson/protos/match";

export interface Header {
  readonly name: string;
  readonly value: string;
  readonly regex?: boolean;
}

/** What a request must look like. Either path or prefix is not empty. */
export interface RequestMatch {
  readonly path: string;
  readonly prefix: string;
  readonly headers: readonly Header[];
  readonly ignoreCase: boolean;
  /** The prefix holds the slash behind what is meant, so that a new prefix needs one, too. */
  readonly holdsSlash?: true;
}

export const anyRequest: RequestMatch = { path: "", prefix: "/", headers: [], ignoreCase: false };

/** Whether every request fulfils it, so that no later route is ever asked. */
export const takesAll = ({ path, prefix, headers }: RequestMatch): boolean =>
  headers.length === 0 && path === "" && prefix === "/";

/** What a match wants; a prefix of whole segments ("/a", "/a/…") is two of Envoy's. No match: any request. */
export function requestMatches(match: HttpMatch | undefined): RequestMatch[] {
  if (match === undefined) return [anyRequest];
  const { path, prefix, pathHeaders } = pathMatch(match.uri);
  const headers = [
    ...match.headers.map(header),
    ...pathHeaders,
    ...pseudoHeader(":authority", match.authority),
    ...pseudoHeader(":method", match.method),
    ...pseudoHeader(":scheme", match.scheme),
  ];
  const made = { path, prefix, headers: headers.sort(compareHeaders), ignoreCase: match.ignoreUriCase };
  if (!match.wholeSegments || prefix === "") return [made];
  return [
    { ...made, path: prefix, prefix: "" },
    { ...made, prefix: `${prefix}/`, holdsSlash: true },
  ];
}

function pathMatch(
  uri: StringMatch | undefined,
): Pick<RequestMatch, "path" | "prefix"> & { pathHeaders: Header[] } {
  switch (uri?.how.case) {
    case "exact":
      return { path: uri.how.value, prefix: "", pathHeaders: [] };
    case "prefix":
      return { path: "", prefix: uri.how.value, pathHeaders: [] };
    case "regex":
      return { path: "", prefix: "/", pathHeaders: [pathHeader(uri.how.value)] };
    default:
      return { path: "", prefix: "/", pathHeaders: [] };
  }
}

/** The first proxies know regular expressions for headers only; this header holds the query, too. */
const pathHeader = (regex: string): Header => ({
  name: ":path",
  value: `(?:${regex})(?:\\?.*)?`,
  regex: true,
});

const pseudoHeader = (name: string, value: StringMatch | undefined): Header[] =>
  value === undefined ? [] : [header({ name, value })];

/** An empty value stands for any. */
function header({ name, value }: Pick<HeaderMatch, "name" | "value">): Header {
  switch (value?.how.case) {
    case "exact":
      return { name, value: value.how.value };
    case "prefix":
      return { name, value: `^${quoteRegex(value.how.value)}.*`, regex: true };
    case "regex":
      return { name, value: value.how.value, regex: true };
    default:
      return { name, value: "" };
  }
}

/** As Go's regexp.QuoteMeta. */
const quoteRegex = (text: string): string => text.replace(/[\\.+*?()|[\]{}^$]/g, "\\$&");

/** By name; there regular expressions first; there by value. */
function compareHeaders(a: Header, b: Header): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  if (a.regex !== b.regex) return a.regex === true ? -1 : 1;
  return a.value < b.value ? -1 : Number(a.value > b.value);
}

/**
 * What matches both: the narrower path of the two. Undefined: no request does.
 * @param wanted a path or a prefix without headers
 */
export function narrow(
  match: RequestMatch,
  wanted: Pick<RequestMatch, "path" | "prefix">,
): RequestMatch | undefined {
  if (wanted.path === "") {
    const own = match.path === "" ? match.prefix : match.path;
    if (own.startsWith(wanted.prefix)) return match;
    if (match.path !== "" || !wanted.prefix.startsWith(match.prefix)) return undefined;
    return { ...match, prefix: wanted.prefix };
  }
  if (match.path !== "") return match.path === wanted.path ? match : undefined;
  return wanted.path.startsWith(match.prefix) ? { ...match, path: wanted.path, prefix: "" } : undefined;
}

/** What replaces the part of the path that a match is about; empty: nothing does. */
export const rewrittenPath = ({ holdsSlash }: RequestMatch, uri: string): string =>
  holdsSlash && uri !== "" && !uri.endsWith("/") ? `${uri}/` : uri;
