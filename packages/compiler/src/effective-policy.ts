import { create } from "@bufbuild/protobuf";
import { formatLabels } from "@keelson/protos";
import {
  type HostPolicy,
  type Subset,
  type TrafficPolicy,
  TrafficPolicySchema,
} from "@keelson/protos/traffic-policy";
import type { ResolvedDestination } from "./destination.ts";
import { isForAllCallers, type Scene } from "./scene.ts";

type Choice = Pick<ResolvedDestination, "subset" | "labels">;

/**
 * What of a host's policy holds for one port and choice of endpoints. As in Istio, settings of a port replace those of the host as a
 * whole, and what a subset says replaces what the host says, part by part.
 */
export function effectivePolicy(host: HostPolicy, port: number, choice: Choice): TrafficPolicy {
  const base = host.portPolicies[port] ?? host.policy;
  const own = subsetOf(host, choice);
  const portOfSubset = own?.portPolicies[port];
  if (portOfSubset !== undefined) return portOfSubset;
  return create(TrafficPolicySchema, { ...definedParts(base), ...definedParts(own?.policy) });
}

/** The subset that is named, or has the very labels that a RouteRule asks for. */
function subsetOf({ subsets }: HostPolicy, { subset, labels }: Choice): Subset | undefined {
  if (subset !== "") return subsets.find(({ name }) => name === subset);
  const wanted = formatLabels(labels);
  return wanted === "" ? undefined : subsets.find((other) => formatLabels(other.labels) === wanted);
}

/**
 * What holds for calls to a destination, whoever makes them: what a DestinationRule says, else DestinationPolicies of Istio
 * 0.2, which are for destinations that ask for their very labels.
 * @returns undefined if nothing is said
 */
export function destinationPolicy(scene: Scene, destination: ResolvedDestination): TrafficPolicy | undefined {
  const { hostname, target, labels } = destination;
  const port = target?.port ?? 0;
  const rule = scene.destinationRuleOf(hostname);
  if (rule !== undefined) return unlessEmpty(effectivePolicy(rule.policy, port, destination));
  const wanted = formatLabels(labels);
  const legacy = scene
    .policiesOf(hostname)
    .find(({ policy, object }) => object.kind === "DestinationPolicy" && isFor(policy, wanted));
  return legacy && unlessEmpty(effectivePolicy(legacy.policy, port, { subset: "", labels }));
}

const isFor = (policy: HostPolicy, wanted: string): boolean =>
  isForAllCallers(policy) && formatLabels(policy.subsets[0]?.labels ?? {}) === wanted;

const unlessEmpty = (policy: TrafficPolicy): TrafficPolicy | undefined =>
  Object.keys(definedParts(policy)).length === 0 ? undefined : policy;

type Parts = Partial<Omit<TrafficPolicy, "$typeName" | "$unknown">>;

function definedParts(policy: TrafficPolicy | undefined): Parts {
  if (policy === undefined) return {};
  const { loadBalancer, connectionPool, outlierDetection, tls, proxyProtocol } = policy;
  return {
    ...(loadBalancer && { loadBalancer }),
    ...(connectionPool && { connectionPool }),
    ...(outlierDetection && { outlierDetection }),
    ...(tls && { tls }),
    ...(proxyProtocol !== 0 && { proxyProtocol }),
  };
}
