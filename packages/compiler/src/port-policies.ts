import { type ConfigObject, describeObject, type PolicySource } from "@keelson/model";
import { formatLabels } from "@keelson/protos";
import { ClientTls_Mode, type HostPolicy } from "@keelson/protos/traffic-policy";
import type { ResolvedDestination } from "./destination.ts";
import { effectivePolicy } from "./effective-policy.ts";
import type { RuleExplanation, TierName } from "./explanation.ts";
import { idleFeatures } from "./policy-features.ts";
import type { Scene } from "./scene.ts";

/** What a policy of a destination's host means for connections. */
export interface PortPolicy extends RuleExplanation {
  readonly object: ConfigObject;
  /** The caller's connections should be encrypted on their way. */
  readonly asksForTls: boolean;
}

/** Of every policy that names a host among the destinations, what became of it. */
export function portPolicies(
  scene: Scene,
  destinations: readonly ResolvedDestination[],
  tier: TierName,
): PortPolicy[] {
  const hostnames = [...new Set(destinations.map(({ hostname }) => hostname))];
  return hostnames.flatMap((hostname) => {
    const applied = scene.destinationRuleOf(hostname);
    const own = destinations.filter((destination) => destination.hostname === hostname);
    return scene.policiesOf(hostname).map((source) => {
      if (source.object.kind !== "DestinationRule") return legacy(source, own, tier);
      return source === applied ? applies(source, own, tier) : leftOut(scene, source, hostname, applied);
    });
  });
}

/** Policies of Istio 0.2 are for destinations that ask for their very labels. */
function legacy(
  source: PolicySource,
  destinations: readonly ResolvedDestination[],
  tier: TierName,
): PortPolicy {
  const { callerHostname, callerLabels, subsets } = source.policy;
  const labels = subsets[0]?.labels ?? {};
  const own = destinations.filter((to) => formatLabels(to.labels) === formatLabels(labels));
  const isForSome = callerHostname !== "" || Object.keys(callerLabels).length > 0;
  const why = isForSome
    ? "is for some callers only, and nodes decide for all callers alike"
    : own.length === 0
      ? `is for routes to endpoints with ${formatLabels(labels) || "no labels"}, of which there are none here`
      : undefined;
  if (why !== undefined) return { ...headOf(source), state: "not applied", why, asksForTls: false };
  return applies(
    source,
    own.map((to) => ({ ...to, subset: subsets[0]?.name ?? "" })),
    tier,
  );
}

function applies(
  source: PolicySource,
  destinations: readonly ResolvedDestination[],
  tier: TierName,
): PortPolicy {
  const effective = destinations.map((to) => effectivePolicy(source.policy, to.target?.port ?? 0, to));
  const idle = [...new Set(effective.flatMap((policy) => idleFeatures(policy, tier)))];
  const who = tier === "relay" ? "the relay" : "nodes";
  return {
    ...headOf(source),
    state: idle.length === 0 ? "applies" : "partly applies",
    why: idle.length === 0 ? "" : `not done by ${who} yet: ${idle.join("; ")}`,
    asksForTls: effective.some(({ tls }) => tls !== undefined && tls.mode !== ClientTls_Mode.DISABLE),
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
    asksForTls: false,
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
