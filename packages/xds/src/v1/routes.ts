import type { Cors } from "@keelson/protos/route";
import type { Age } from "./age.ts";
import type { ClusterPlan } from "./clusters.ts";
import type { HttpFilter } from "./faults.ts";
import { optional } from "./go-json.ts";
import { anyRequest, type RequestMatch } from "./match.ts";

/** A route, and what else there must be for it. */
export interface RoutePlan {
  readonly match: RequestMatch;
  readonly prefixRewrite?: string;
  readonly hostRewrite?: string;
  readonly pathRedirect?: string;
  readonly hostRedirect?: string;
  /** Without a weight for one. None: a redirect. */
  readonly destinations: readonly { readonly name: string; readonly weight: number }[];
  /** Milliseconds, 0 for none; absent: 15 s, as proxies have it, in 0.2, and none in 0.7. */
  readonly timeoutMs?: number | undefined;
  readonly retries?: { readonly attempts: number; readonly perTryTimeoutMs: number; readonly on: string };
  readonly opaque?: Readonly<Record<string, string>>;
  readonly autoHostRewrite?: boolean;
  readonly websocket?: boolean;
  readonly shadow?: string;
  readonly headersToAdd?: readonly { readonly key: string; readonly value: string }[];
  readonly cors?: Cors;
  /** Name in traces, of 0.7. */
  readonly operation?: string;
  readonly clusters: readonly ClusterPlan[];
  readonly faults: readonly HttpFilter[];
}

/** Everything to one cluster. */
export const defaultRoute = (cluster: ClusterPlan): RoutePlan => ({
  match: anyRequest,
  destinations: [{ name: cluster.name, weight: 100 }],
  operation: "default-route",
  clusters: [cluster],
  faults: [],
});

/** A route as JSON, its fields in Pilot's order. */
export function renderRoute(plan: RoutePlan, age: Age): object {
  const { match, destinations, retries } = plan;
  const timeoutMs = age === "0.2" ? plan.timeoutMs : (plan.timeoutMs ?? 0);
  return {
    ...optional("path", match.path),
    ...optional("prefix", match.prefix),
    ...optional("prefix_rewrite", plan.prefixRewrite),
    ...optional("host_rewrite", plan.hostRewrite),
    ...optional("path_redirect", plan.pathRedirect),
    ...optional("host_redirect", plan.hostRedirect),
    ...(destinations.length === 1 && { cluster: destinations[0]?.name }),
    ...(destinations.length > 1 && { weighted_clusters: { clusters: destinations } }),
    ...optional("headers", match.headers),
    ...(timeoutMs !== undefined && { timeout_ms: timeoutMs }),
    ...(retries && { retry_policy: renderRetries(retries) }),
    ...(plan.opaque && { opaque_config: plan.opaque }),
    ...optional("auto_host_rewrite", plan.autoHostRewrite),
    ...optional("use_websocket", plan.websocket),
    ...(match.ignoreCase && { case_sensitive: false }),
    ...(age === "0.7" && fieldsOf07(plan)),
  };
}

const renderRetries = ({ on, attempts, perTryTimeoutMs }: NonNullable<RoutePlan["retries"]>) => ({
  retry_on: on,
  ...optional("num_retries", attempts),
  ...optional("per_try_timeout_ms", perTryTimeoutMs),
});

function fieldsOf07({ shadow, headersToAdd, cors, operation }: RoutePlan) {
  return {
    ...(shadow !== undefined && { shadow: { cluster: shadow } }),
    ...optional("request_headers_to_add", headersToAdd),
    ...(cors && { cors: renderCors(cors) }),
    ...(operation !== undefined && operation !== "" && { decorator: { operation } }),
  };
}

function renderCors(cors: Cors) {
  const origins = cors.allowOrigins.flatMap(({ how }) => (how.case === "exact" ? [how.value] : []));
  const maxAge = cors.maxAgeMs === undefined ? 0 : Math.trunc(Number(cors.maxAgeMs) / 1000);
  return {
    enabled: true,
    ...optional("allow_credentials", cors.allowCredentials),
    ...optional("allow_methods", cors.allowMethods.join(",")),
    ...optional("allow_headers", cors.allowHeaders.join(",")),
    ...optional("expose_headers", cors.exposeHeaders.join(",")),
    ...optional("max_age", maxAge === 0 ? "" : String(maxAge)),
    ...optional("allow_origin", origins),
  };
}
