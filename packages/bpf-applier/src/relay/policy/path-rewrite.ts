import type { HttpMatch } from "@keelson/protos/match";
import type { Rewrite } from "@keelson/protos/route";
import { regularExpression } from "./regular-expression.ts";

/** A path (normal form, without its query) made into another one. */
export type PathRewrite = (path: string) => string;

/**
 * The rewrite of requests that came by one match, as Envoy's `prefix_rewrite` and `regex_rewrite`.
 * @returns undefined where paths stay
 * @throws Error for what is no regular expression of RE2
 */
export function pathRewrite(
  rewrite: Rewrite | undefined,
  match: HttpMatch | undefined,
): PathRewrite | undefined {
  if (rewrite === undefined) return undefined;
  if (rewrite.regex !== "") {
    const expression = regularExpression(rewrite.regex);
    return (path) => expression.replaceAll(path, rewrite.substitution);
  }
  if (rewrite.uri === "") return undefined;
  const how = match?.uri?.how;
  if (rewrite.uri === "/" && match?.wholeSegments === true && how?.case === "prefix" && how.value !== "") {
    const { length } = how.value;
    // Put in place of "/a", a "/" would make "//b" of "/a/b".
    return (path) => `/${path.slice(path[length] === "/" ? length + 1 : length)}`;
  }
  return inPlaceOfMatched(rewrite.uri, match);
}

/** In place of the matched prefix; of the whole path where the match is another one. */
export function inPlaceOfMatched(replacement: string, match: HttpMatch | undefined): PathRewrite {
  const prefix = prefixOf(match);
  return prefix === undefined ? () => replacement : (path) => replacement + path.slice(prefix.length);
}

/** Undefined: the match looks at the whole path. Without any, Envoy's is the prefix "/". */
function prefixOf(match: HttpMatch | undefined): string | undefined {
  const how = match?.uri?.how;
  if (how?.case === undefined) return "/";
  return how.case === "prefix" ? how.value || "/" : undefined;
}
