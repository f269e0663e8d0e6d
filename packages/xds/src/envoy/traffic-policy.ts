import type { HostPolicy, Subset, TrafficPolicy } from "@keelson/protos/traffic-policy";

/** The parts of a traffic policy that count for one cluster. */
export type PolicyParts = Partial<
  Pick<TrafficPolicy, "loadBalancer" | "connectionPool" | "outlierDetection" | "tls" | "proxyProtocol">
>;

/** A port's policy stands instead of the whole of the level it belongs to (Istio: nothing is inherited). */
const atPort = (
  policy: TrafficPolicy | undefined,
  portPolicies: Readonly<Record<number, TrafficPolicy>>,
  port: number,
): TrafficPolicy | undefined => portPolicies[port] ?? policy;

/** What counts for a port of the host, and for a subset there if one is given. */
export function policyFor(host: HostPolicy | undefined, port: number, subset?: Subset): PolicyParts {
  if (host === undefined) return {};
  const base: PolicyParts = atPort(host.policy, host.portPolicies, port) ?? {};
  if (subset === undefined) return base;
  const forPort = subset.portPolicies[port];
  if (forPort !== undefined) return forPort;
  const own: PolicyParts = subset.policy ?? {};
  const { loadBalancer, connectionPool, outlierDetection, tls, proxyProtocol } = own;
  return {
    ...base,
    ...(loadBalancer && { loadBalancer }),
    ...(connectionPool && { connectionPool }),
    ...(outlierDetection && { outlierDetection }),
    ...(tls && { tls }),
    ...(proxyProtocol && { proxyProtocol }),
  };
}
