import type { HttpMatch, StringMatch } from "@keelson/protos/match";
import type { ExpressionEffort } from "./expression-effort.ts";
import { asField, asText } from "./field-text.ts";
import { includesLabels } from "./labels.ts";
import type { ParsedRequest } from "./parsed-request.ts";
import { regularExpression } from "./regular-expression.ts";
import type { Caller } from "./types.ts";

/** Whether a request, or its caller, is what is asked for. */
export type Holds = (request: ParsedRequest, caller: Caller) => boolean;

/** Text that is what a rule asks for. @throws TooMuchToMatch where that would cost the request more than it may */
export type TextMatcher = (text: string, effort: ExpressionEffort) => boolean;

/** @returns undefined where any text is. Istio takes the regular expression "*" for that. */
export function textMatcher(match: StringMatch | undefined): TextMatcher | undefined {
  const how = match?.how;
  switch (how?.case) {
    case "exact": {
      const wanted = asField(how.value);
      return (text) => text === wanted;
    }
    case "prefix": {
      const wanted = asField(how.value);
      return (text) => text.startsWith(wanted);
    }
    case "regex":
      return how.value === "*" ? undefined : wholeText(how.value);
    default:
      return undefined;
  }
}

function wholeText(expression: string): TextMatcher {
  const compiled = regularExpression(expression);
  return (text, effort) => effort.matches(compiled, asText(text));
}

/**
 * A match as one function: all of its conditions, the cheap ones first. What each condition means is what Envoy's
 * `RouteMatch` means that our xDS makes of it (`route/match.ts` of `@keelson/xds`).
 * @throws Error for what is no regular expression of RE2
 */
export function requestMatcher(match: HttpMatch): Holds {
  const conditions = [
    ...ofText(match.method, ({ method }) => method),
    ...ofPath(match),
    ...ofText(match.authority, ({ authority }) => authority),
    ...ofText(match.scheme, ({ scheme }) => scheme),
    ...match.headers.map(ofHeader),
    ...match.queryParameters.map(ofQueryParameter),
    ...ofSource(match),
  ];
  const [first, ...others] = conditions;
  if (first === undefined) return () => true;
  if (others.length === 0) return first;
  return (request, caller) => conditions.every((condition) => condition(request, caller));
}

function ofText(match: StringMatch | undefined, textOf: (request: ParsedRequest) => string): Holds[] {
  const matches = textMatcher(match);
  return matches === undefined ? [] : [(request) => matches(textOf(request), request.effort)];
}

/** Case is minded by regular expressions in any case, as Envoy's are. */
function ofPath({ uri, ignoreUriCase, wholeSegments }: HttpMatch): Holds[] {
  const how = uri?.how;
  if (how?.case === undefined || how.case === "regex") return ofText(uri, ({ path }) => path);
  const wanted = ignoreUriCase ? how.value.toLowerCase() : how.value;
  const pathOf = ({ path }: ParsedRequest): string => (ignoreUriCase ? path.toLowerCase() : path);
  if (how.case === "exact") return [(request) => pathOf(request) === wanted];
  if (wanted === "" || wanted === "/") return [];
  if (!wholeSegments) return [(request) => pathOf(request).startsWith(wanted)];
  const { length } = wanted;
  return [
    (request) => {
      const path = pathOf(request);
      return path.startsWith(wanted) && (path.length === length || path[length] === "/");
    },
  ];
}

/**
 * One of several values is enough, and makes "not this value" fail; that holds for requests without the header as if its
 * value were empty, "this value" does not.
 */
function ofHeader({ name, value, invert }: HttpMatch["headers"][number]): Holds {
  const key = name.toLowerCase();
  const matches = textMatcher(value);
  if (matches === undefined) return ({ headers }) => headers.all(key).length > 0 !== invert;
  return ({ headers, effort }) => {
    const values = headers.all(key);
    if (values.length === 0) return invert && !matches("", effort);
    return values.some((one) => matches(one, effort)) !== invert;
  };
}

function ofQueryParameter({ name, value }: HttpMatch["queryParameters"][number]): Holds {
  const matches = textMatcher(value) ?? (() => true);
  return ({ query, effort }) => {
    const text = queryParameter(query, name);
    return text !== undefined && matches(text, effort);
  };
}

/** The first of a name, as it stands: Envoy's routes and hashes do not decode. @param query with its "?" */
export function queryParameter(query: string, name: string): string | undefined {
  if (query === "") return undefined;
  for (const part of query.slice(1).split("&")) {
    const equals = part.indexOf("=");
    if ((equals === -1 ? part : part.slice(0, equals)) === name)
      return equals === -1 ? "" : part.slice(equals + 1);
  }
  return undefined;
}

/** Nodes know of a caller what its Workload says; a rule for callers that are not known is for nobody. */
function ofSource({ source }: HttpMatch): Holds[] {
  if (source === undefined) return [];
  return [
    (_, { workload }) =>
      workload !== undefined &&
      source.hostname === "" &&
      (source.namespace === "" || source.namespace === workload.namespace) &&
      includesLabels(workload.labels, source.labels),
  ];
}
