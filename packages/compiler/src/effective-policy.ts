import { create } from "@bufbuild/protobuf";
import { type HostPolicy, type TrafficPolicy, TrafficPolicySchema } from "@keelson/protos/traffic-policy";

/**
 * What of a host's policy holds for one port and subset. As in Istio, settings of a port replace those of the host as a
 * whole, and what a subset says replaces what the host says, part by part.
 */
export function effectivePolicy(host: HostPolicy, port: number, subset: string): TrafficPolicy {
  const base = host.portPolicies[port] ?? host.policy;
  const own = host.subsets.find(({ name }) => name === subset);
  const portOfSubset = own?.portPolicies[port];
  if (portOfSubset !== undefined) return portOfSubset;
  return create(TrafficPolicySchema, { ...definedParts(base), ...definedParts(own?.policy) });
}

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
