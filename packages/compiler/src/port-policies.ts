import { type ConfigObject, describeObject, type PolicySource } from "@keelson/model";
import { formatLabels } from "@keelson/protos";
import {
  ClientTls_Mode,
  type HostPolicy,
  LoadBalancer_Simple,
  type TrafficPolicy,
} from "@keelson/protos/traffic-policy";
import type { ResolvedDestination } from "./destination.ts";
import { effectivePolicy } from "./effective-policy.ts";
import type { RuleExplanation } from "./explanation.ts";
import type { Scene } from "./scene.ts";

/** What a policy of a destination's host means for connections. */
export interface PortPolicy extends RuleExplanation {
  readonly object: ConfigObject;
  /** What it asks for that nodes do not do; empty where it is not applied. */
  readonly features: readonly string[];
  /** The relay must speak for the caller. */
  readonly needsRelay: boolean;
}

/** Of every policy that names a host among the destinations, what became of it. */
export function portPolicies(scene: Scene, destinations: readonly ResolvedDestination[]): PortPolicy[] {
  const hostnames = [...new Set(destinations.map(({ hostname }) => hostname))];
  return hostnames.flatMap((hostname) => {
    const applied = scene.destinationRuleOf(hostname);
    const own = destinations.filter((destination) => destination.hostname === hostname);
    return scene.policiesOf(hostname).map((source) => {
      if (source.object.kind !== "DestinationRule") return legacy(source, own);
      return source === applied ? applies(source, own) : leftOut(scene, source, hostname, applied);
    });
  });
}

/** Policies of Istio 0.2 are for destinations that ask for their very labels. */
function legacy(source: PolicySource, destinations: readonly ResolvedDestination[]): PortPolicy {
  const { callerHostname, callerLabels, subsets } = source.policy;
  const labels = subsets[0]?.labels ?? {};
  const own = destinations.filter((to) => formatLabels(to.labels) === formatLabels(labels));
  const isForSome = callerHostname !== "" || Object.keys(callerLabels).length > 0;
  const why = isForSome
    ? "is for some callers only, and nodes decide for all callers alike"
    : own.length === 0
      ? `is for routes to endpoints with ${formatLabels(labels) || "no labels"}, of which there are none here`
      : undefined;
  if (why !== undefined)
    return { ...headOf(source), state: "not applied", why, features: [], needsRelay: false };
  return applies(
    source,
    own.map((to) => ({ ...to, subset: subsets[0]?.name ?? "" })),
  );
}

function applies(source: PolicySource, destinations: readonly ResolvedDestination[]): PortPolicy {
  const effective = destinations.map(({ target, subset }) =>
    effectivePolicy(source.policy, target?.port ?? 0, subset),
  );
  const features = [...new Set(effective.flatMap(featuresOf))];
  return {
    ...headOf(source),
    state: features.length === 0 ? "applies" : "partly applies",
    why: features.length === 0 ? "" : `not done by nodes yet: ${features.join("; ")}`,
    features,
    needsRelay: effective.some(({ tls }) => tls !== undefined && tls.mode !== ClientTls_Mode.DISABLE),
  };
}

function leftOut(
  scene: Scene,
  source: PolicySource,
  hostname: string,
  applied: PolicySource | undefined,
): PortPolicy {
  const aside = whyNotForAll(scene, source.policy, hostname);
  const shadow = `${applied === undefined ? "another rule" : describeObject(applied.object)} counts for ${hostname}`;
  return {
    ...headOf(source),
    state: aside === undefined ? "shadowed" : "not applied",
    why: aside ?? shadow,
    features: [],
    needsRelay: false,
  };
}

function whyNotForAll(scene: Scene, policy: HostPolicy, hostname: string): string | undefined {
  const { exportedTo, callerLabels, callerHostname, namespace } = policy;
  const alike = "and nodes decide for all callers alike";
  if (Object.keys(callerLabels).length > 0 || callerHostname !== "")
    return `is for some callers only, ${alike}`;
  if (exportedTo.length > 0) return `is for callers in namespace ${exportedTo.join(", ")} only, ${alike}`;
  const home = scene.service(hostname)?.namespace;
  if (namespace === home || namespace === scene.model.mesh.rootNamespace) return undefined;
  const place = `stands in namespace ${namespace}, not in the service's`;
  return `${place}, so it is for callers of ${namespace} only, ${alike}`;
}

function headOf({ object }: PolicySource): Pick<PortPolicy, "rule" | "field" | "precedence" | "object"> {
  return { rule: describeObject(object), field: "spec", precedence: 0, object };
}

/** What the connect tier does not do, in the words of a DestinationRule. */
function featuresOf({
  loadBalancer,
  connectionPool,
  outlierDetection,
  tls,
  proxyProtocol,
}: TrafficPolicy): string[] {
  const simple = loadBalancer?.simple ?? LoadBalancer_Simple.UNSPECIFIED;
  const atRandom = [LoadBalancer_Simple.UNSPECIFIED, LoadBalancer_Simple.RANDOM];
  const asked: [boolean, string][] = [
    [!atRandom.includes(simple), "the load balancer's algorithm (endpoints are drawn at random)"],
    [loadBalancer?.consistentHash !== undefined, "consistent hashing (endpoints are drawn at random)"],
    [loadBalancer?.locality !== undefined, "load balancing by locality"],
    [(loadBalancer?.warmupMs ?? 0n) > 0n, "warm-up of endpoints"],
    [connectionPool !== undefined, "connection pool limits"],
    [outlierDetection !== undefined, "outlier detection"],
    [tls !== undefined && tls.mode !== ClientTls_Mode.DISABLE, "TLS towards the host"],
    [proxyProtocol > 0, "PROXY protocol"],
  ];
  return asked.filter(([is]) => is).map(([, what]) => what);
}
