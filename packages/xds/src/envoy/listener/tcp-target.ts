import type { Service } from "@keelson/protos/policy";
import type { RouteDestination } from "@keelson/protos/route";
import type { Context } from "../context.ts";
import { destinationPolicy, weightedClusters } from "../destination.ts";
import { outboundClusterName } from "../names.ts";
import { type PolicyParts, policyFor } from "../traffic-policy.ts";
import type { TcpTarget } from "./chain-plan.ts";

const unlessZero = (milliseconds: bigint | undefined): number | undefined =>
  milliseconds === undefined || milliseconds === 0n ? undefined : Number(milliseconds);

type PolicyFields = Pick<TcpTarget, "idleTimeoutMs" | "maxConnectionDurationMs" | "hashesSource">;

function policyFields(policy: PolicyParts, { proxy }: Context): PolicyFields {
  return {
    idleTimeoutMs: unlessZero(policy.connectionPool?.tcpIdleTimeoutMs) ?? proxy.idleTimeoutMs,
    maxConnectionDurationMs: unlessZero(policy.connectionPool?.maxConnectionDurationMs),
    hashesSource: policy.loadBalancer?.consistentHash?.key.case === "useSourceIp",
  };
}

/** Connections that no rule speaks of go to all endpoints of the service's port. */
export function defaultTcpTarget(service: Service, port: number, context: Context): TcpTarget {
  const cluster = outboundClusterName(port, "", service.hostname);
  return {
    kind: "tcp",
    statPrefix: cluster,
    clusters: [{ name: cluster, weight: 1 }],
    ...policyFields(policyFor(context.policyOf(service), port), context),
    rule: "",
  };
}

/**
 * @param rule name of the rule's resource, "VirtualService/default/reviews".
 * @param destinations at least one; the policy of the first counts for what is set per listener.
 */
export function ruledTcpTarget(
  rule: string,
  destinations: readonly RouteDestination[],
  dialled: number,
  context: Context,
): TcpTarget {
  const clusters = weightedClusters(destinations, context, dialled);
  const [first] = destinations;
  const policy = first === undefined ? {} : destinationPolicy(first, context, dialled);
  const [, namespace = "", name = ""] = rule.split("/");
  const [only] = clusters;
  return {
    kind: "tcp",
    statPrefix: only !== undefined && clusters.length === 1 ? only.name : `${name}.${namespace}`,
    clusters,
    ...policyFields(policy, context),
    rule,
  };
}
