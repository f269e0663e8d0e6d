import type { HttpMatch } from "@keelson/protos/match";
import type { Redirect } from "@keelson/protos/route";
import type { ParsedRequest } from "./parsed-request.ts";
import { inPlaceOfMatched } from "./path-rewrite.ts";

/** The ports that URLs leave out. */
const standardPorts: Readonly<Record<string, number>> = { http: 80, https: 443 };
const defaultCode = 301;

/** Where a request is sent to, as Envoy's `RedirectAction` that our xDS makes of the rule. */
export interface Redirection {
  readonly status: number;
  /** @returns the value of Location */
  readonly location: (request: ParsedRequest) => string;
}

/** @param port what the caller dialled */
export function redirection(redirect: Redirect, match: HttpMatch | undefined, port: number): Redirection {
  const wanted = redirect.portFromRequest ? port : redirect.port;
  const newPort = wanted === 0 || standardPorts[redirect.scheme || "http"] === wanted ? "" : `:${wanted}`;
  const pathOf = newPath(redirect, match);
  return {
    status: redirect.code || defaultCode,
    location: (request) => {
      const scheme = redirect.scheme || request.scheme;
      const host = redirect.authority || hostOf(request, scheme, newPort);
      return `${scheme}://${host}${newPort}${pathOf(request)}`;
    },
  };
}

function newPath(
  { uri, prefixRewrite }: Redirect,
  match: HttpMatch | undefined,
): (request: ParsedRequest) => string {
  if (prefixRewrite !== "") {
    const rewritten = inPlaceOfMatched(prefixRewrite, match);
    return ({ path, query }) => rewritten(path) + query;
  }
  if (uri === "") return ({ path, query }) => path + query;
  return uri.includes("?") ? () => uri : ({ query }) => uri + query;
}

/** The request's, without its port where that is replaced, or is the usual one of the scheme that is left. */
function hostOf({ authority, scheme }: ParsedRequest, newScheme: string, newPort: string): string {
  const port = /:\d*$/.exec(authority);
  if (port === null || (authority.startsWith("[") && !authority.includes("]:"))) return authority;
  const leavesScheme = newScheme !== scheme && port[0] === `:${standardPorts[scheme]}`;
  return newPort !== "" || leavesScheme ? authority.slice(0, port.index) : authority;
}
