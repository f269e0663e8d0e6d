import type {
  RouteActionSchema,
  WeightedCluster_ClusterWeightSchema,
} from "@envoyproxy/xds-protos/envoy/config/route/v3/route_components_pb.js";
import type { HttpMatch } from "@keelson/protos/match";
import type { HttpRoute, Mirror, RouteDestination } from "@keelson/protos/route";
import type { RoutingContext } from "../context.ts";
import { destinationCluster, destinationPolicy, weighted } from "../destination.ts";
import { duration, type Init } from "../wire.ts";
import { fraction } from "./fault.ts";
import { hashPolicy } from "./hash-policy.ts";
import { authorityOf, headerFields } from "./headers.ts";
import { retryPolicy } from "./retries.ts";

type Action = Init<typeof RouteActionSchema>;

/** Where requests go, for how long and how often they are tried. */
export interface ActionInputs {
  readonly route: HttpRoute;
  /** That of the route's matches by which requests come here. */
  readonly match: HttpMatch | undefined;
  /** What the caller dialled. */
  readonly port: number;
  /** Where a route without destinations leads: the service that was asked for. */
  readonly defaultCluster: string;
  readonly context: RoutingContext;
}

function clusterWeight(
  destination: RouteDestination,
  { port, context }: ActionInputs,
): Init<typeof WeightedCluster_ClusterWeightSchema> {
  const authority = authorityOf(destination.requestHeaders);
  return {
    name: destinationCluster(destination, context, port),
    weight: destination.weight,
    ...headerFields([destination.requestHeaders], [destination.responseHeaders]),
    ...(authority !== "" && {
      hostRewriteSpecifier: { case: "hostRewriteLiteral" as const, value: authority },
    }),
  };
}

function clusterSpecifier(inputs: ActionInputs): NonNullable<Action["clusterSpecifier"]> {
  const { route, port, context, defaultCluster } = inputs;
  const [only] = route.destinations;
  if (only === undefined) return { case: "cluster", value: defaultCluster };
  if (route.destinations.length === 1)
    return { case: "cluster", value: destinationCluster(only, context, port) };
  const clusters = weighted(route.destinations).map((destination) => clusterWeight(destination, inputs));
  return { case: "weightedClusters", value: { clusters } };
}

function mirrorPolicy(
  { destination, percent }: Mirror,
  { port, context }: ActionInputs,
): NonNullable<Action["requestMirrorPolicies"]> {
  if (destination === undefined || percent === 0) return [];
  return [
    {
      cluster: destinationCluster(destination, context, port),
      runtimeFraction: { defaultValue: fraction(percent) },
      traceSampled: false,
    },
  ];
}

/** A single destination's own change of the authority counts where the route has none. */
function hostRewrite({ rewrite, requestHeaders, destinations }: HttpRoute): Action {
  const [only] = destinations.length === 1 ? destinations : [];
  const authority = rewrite?.authority || authorityOf(requestHeaders) || authorityOf(only?.requestHeaders);
  return authority === "" ? {} : { hostRewriteSpecifier: { case: "hostRewriteLiteral", value: authority } };
}

const escapeRegex = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");

function pathRewrite({ route: { rewrite }, match }: ActionInputs): Action {
  if (rewrite === undefined) return {};
  if (rewrite.regex !== "") {
    return { regexRewrite: { pattern: { regex: rewrite.regex }, substitution: rewrite.substitution } };
  }
  const how = match?.uri?.how;
  if (rewrite.uri === "/" && match?.wholeSegments === true && how?.case === "prefix" && how.value !== "") {
    // Put in place of "/a", a "/" would make "//b" of "/a/b".
    return {
      regexRewrite: { pattern: { regex: `^${escapeRegex(how.value)}(/?)(.*)` }, substitution: "/\\2" },
    };
  }
  return rewrite.uri === "" ? {} : { prefixRewrite: rewrite.uri };
}

/**
 * The time limit of a request. Without a rule there is none but what a gRPC caller asks for. Not both: an Envoy leaves
 * the limit of a route alone that says anything of the duration of streams.
 */
export function timeoutFields(timeoutMs: bigint | undefined): Action {
  const timeout = duration(timeoutMs ?? 0n);
  return timeoutMs ? { timeout } : { timeout, maxStreamDuration: { grpcTimeoutHeaderMax: timeout } };
}

export function routeAction(inputs: ActionInputs): Action {
  const { route, port, context } = inputs;
  const hashes = route.destinations.flatMap(
    (destination) =>
      hashPolicy(destinationPolicy(destination, context, port).loadBalancer?.consistentHash) ?? [],
  );
  const retries = retryPolicy(route.retries, route.destinations.length === 1 && hashes.length > 0);
  return {
    clusterSpecifier: clusterSpecifier(inputs),
    ...timeoutFields(route.timeoutMs),
    ...pathRewrite(inputs),
    ...hostRewrite(route),
    ...(retries && { retryPolicy: retries }),
    hashPolicy: hashes,
    requestMirrorPolicies: route.mirrors.flatMap((mirror) => mirrorPolicy(mirror, inputs)),
  };
}
