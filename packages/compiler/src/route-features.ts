import type { FieldPath, RouteOrigin } from "@keelson/model";
import type { HttpRoute } from "@keelson/protos/route";

/** What a route asks for beside a destination; each needs the relay, which does it. */
export interface RouteFeature {
  /** Where the user wrote it, inside the object. */
  readonly path: FieldPath;
  readonly what: string;
}

/** Upgrades to WebSocket (`websocketUpgrade` of Istio 0.2) are none: every tier lets them pass. */
interface FeatureDescription {
  readonly what: string;
  isAskedFor(route: HttpRoute): boolean;
  /** Names of the field by kind of rule. */
  readonly field: string;
  readonly inRouteRule?: string;
  readonly inHTTPRoute?: string;
}

const features: readonly FeatureDescription[] = [
  {
    what: "redirects requests",
    field: "redirect",
    inHTTPRoute: "filters",
    isAskedFor: ({ redirect }) => redirect !== undefined,
  },
  {
    what: "answers requests itself",
    field: "directResponse",
    inHTTPRoute: "backendRefs",
    isAskedFor: ({ directResponse }) => directResponse !== undefined,
  },
  {
    what: "rewrites requests",
    field: "rewrite",
    inHTTPRoute: "filters",
    isAskedFor: ({ rewrite }) => rewrite !== undefined,
  },
  {
    what: "sets a timeout",
    field: "timeout",
    inRouteRule: "httpReqTimeout",
    inHTTPRoute: "timeouts",
    isAskedFor: ({ timeoutMs }) => timeoutMs !== undefined,
  },
  {
    what: "retries requests",
    field: "retries",
    inRouteRule: "httpReqRetries",
    inHTTPRoute: "retry",
    isAskedFor: ({ retries }) => retries !== undefined,
  },
  {
    what: "injects faults",
    field: "fault",
    inRouteRule: "httpFault",
    isAskedFor: ({ fault }) => fault !== undefined,
  },
  {
    what: "mirrors requests",
    field: "mirrors",
    inHTTPRoute: "filters",
    isAskedFor: ({ mirrors }) => mirrors.length > 0,
  },
  {
    what: "answers CORS preflights",
    field: "corsPolicy",
    inHTTPRoute: "filters",
    isAskedFor: ({ cors }) => cors !== undefined,
  },
  {
    what: "changes headers",
    field: "headers",
    inHTTPRoute: "filters",
    isAskedFor: (route) =>
      [route, ...route.destinations].some(
        ({ requestHeaders, responseHeaders }) =>
          requestHeaders !== undefined || responseHeaders !== undefined,
      ),
  },
];

const askedFor = (route: HttpRoute): FeatureDescription[] =>
  features.filter((feature) => feature.isAskedFor(route));

/** What of these a route asks for, such as "sets a timeout". */
export const wishesOf = (route: HttpRoute): string[] => askedFor(route).map(({ what }) => what);

export function featuresOf(route: HttpRoute, { object, path }: RouteOrigin): RouteFeature[] {
  return askedFor(route).map(({ what, field, inRouteRule = field, inHTTPRoute = field }) => {
    const name =
      object.kind === "RouteRule" ? inRouteRule : object.kind === "HTTPRoute" ? inHTTPRoute : field;
    return { path: [...path, name], what };
  });
}
