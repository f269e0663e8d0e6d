import type { HttpMatch } from "@keelson/protos/match";
import type { Cors, HeaderOperations, HttpRoute, Mirror, Redirect } from "@keelson/protos/route";
import type { Age } from "./age.ts";

/** What of a match proxies of these ages cannot look at; routes with such a match are left out. */
export const unknownMatches = ({ headers, queryParameters }: HttpMatch): string[] => [
  ...(queryParameters.length > 0 ? ["query parameters"] : []),
  ...headers.filter(({ invert }) => invert).map(({ name }) => `"${name}" by what it is not`),
];

/** What of a route proxies of this age do not do, in words; the rest of the route is done. */
export function unknownActions(route: HttpRoute, age: Age): string[] {
  const { redirect, directResponse, rewrite, cors, mirrors, requestHeaders, responseHeaders, fault } = route;
  const perDestination = route.destinations.some(
    (destination) => (destination.requestHeaders ?? destination.responseHeaders) !== undefined,
  );
  const odd = {
    "a direct response": directResponse !== undefined,
    "a rewrite by regular expression": Boolean(rewrite?.regex),
    "headers of responses": responseHeaders !== undefined,
    "headers for a destination": perDestination,
    "an abort with a gRPC status": Boolean(fault?.grpcStatus),
  };
  return [
    ...Object.entries(odd).flatMap(([what, is]) => (is ? [what] : [])),
    ...(redirect === undefined ? [] : unknownRedirect(redirect)),
    ...(requestHeaders === undefined ? [] : unknownOperations(requestHeaders, age)),
    ...unknownMirrors(mirrors, age),
    ...(cors === undefined ? [] : unknownCors(cors, age)),
  ];
}

function unknownRedirect({ prefixRewrite, scheme, port, portFromRequest, code }: Redirect): string[] {
  return [
    ...(prefixRewrite !== "" ? ["a redirect to another prefix"] : []),
    ...(scheme !== "" || port !== 0 || portFromRequest ? ["a redirect to another scheme or port"] : []),
    ...(code !== 301 ? [`a redirect with status ${code} in place of 301`] : []),
  ];
}

function unknownOperations({ set, add, remove }: HeaderOperations, age: Age): string[] {
  const adds = Object.keys(add).length > 0;
  return Object.keys(set).length > 0 || remove.length > 0 || (adds && age === "0.2")
    ? ["headers of requests"]
    : [];
}

function unknownMirrors(mirrors: readonly Mirror[], age: Age): string[] {
  if (mirrors.length === 0) return [];
  if (age === "0.2") return ["a mirror"];
  return [
    ...(mirrors.length > 1 ? ["a second mirror"] : []),
    ...((mirrors[0]?.percent ?? 100) < 100 ? ["a mirror of a part of the requests"] : []),
  ];
}

function unknownCors({ allowOrigins }: Cors, age: Age): string[] {
  if (age === "0.2") return ["CORS"];
  return allowOrigins.some(({ how }) => how.case !== "exact") ? ["CORS origins that are no exact names"] : [];
}
