import type { HeaderMatch, HttpMatch, StringMatch } from "@keelson/protos/match";
import { RE2JS } from "re2js";

/** A request as its parts, for a matcher that looks at one rule after another. */
export interface PlainRequest {
  readonly method: string;
  /** Without a query. */
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** The first rule that matches, the slow way: what Envoy does with the same routes. */
export function naiveRule(
  rules: readonly (readonly HttpMatch[])[],
  request: PlainRequest,
): number | undefined {
  const index = rules.findIndex(
    (matches) => matches.length === 0 || matches.some((one) => holds(one, request)),
  );
  return index === -1 ? undefined : index;
}

function holds(match: HttpMatch, request: PlainRequest): boolean {
  const valueOf = (name: string): string | undefined =>
    request.headers.find(([one]) => one.toLowerCase() === name)?.[1];
  return (
    holdsForPath(match, request.path) &&
    matchesText(match.method, request.method) &&
    matchesText(match.authority, valueOf("host") ?? "") &&
    matchesText(match.scheme, "http") &&
    match.headers.every((header) => holdsForHeader(header, valueOf(header.name.toLowerCase())))
  );
}

function holdsForPath({ uri, ignoreUriCase, wholeSegments }: HttpMatch, path: string): boolean {
  const how = uri?.how;
  if (how?.case === undefined) return true;
  if (how.case === "regex") return matchesText(uri, path);
  const fold = (text: string): string => (ignoreUriCase ? text.toLowerCase() : text);
  if (how.case === "exact") return fold(path) === fold(how.value);
  if (how.value === "" || how.value === "/") return true;
  if (!fold(path).startsWith(fold(how.value))) return false;
  return !wholeSegments || path.length === how.value.length || path[how.value.length] === "/";
}

function holdsForHeader({ value, invert }: HeaderMatch, text: string | undefined): boolean {
  if (value?.how.case === undefined) return (text !== undefined) !== invert;
  if (text === undefined) return invert && !matchesText(value, "");
  return matchesText(value, text) !== invert;
}

function matchesText(match: StringMatch | undefined, text: string): boolean {
  const how = match?.how;
  if (how?.case === "exact") return text === how.value;
  if (how?.case === "prefix") return text.startsWith(how.value);
  if (how?.case === "regex") return how.value === "*" || expression(how.value).matches(text);
  return true;
}

const expressions = new Map<string, RE2JS>();

function expression(text: string): RE2JS {
  const known = expressions.get(text) ?? RE2JS.compile(text);
  expressions.set(text, known);
  return known;
}
