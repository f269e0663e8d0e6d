import type { DescMessage } from "@bufbuild/protobuf";
import {
  type ClusterSchema,
  Cluster_LbPolicy as LbPolicy,
  type LoadBalancingPolicySchema,
} from "@envoyproxy/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { LeastRequestSchema } from "@envoyproxy/xds-protos/envoy/extensions/load_balancing_policies/least_request/v3/least_request_pb.js";
import { RoundRobinSchema } from "@envoyproxy/xds-protos/envoy/extensions/load_balancing_policies/round_robin/v3/round_robin_pb.js";
import { WrrLocalitySchema } from "@envoyproxy/xds-protos/envoy/extensions/load_balancing_policies/wrr_locality/v3/wrr_locality_pb.js";
import { type LoadBalancer, LoadBalancer_Simple as Simple } from "@keelson/protos/traffic-policy";
import { ringFields } from "../envoy/cluster/load-balancer.ts";
import { type Init, pack } from "../envoy/wire.ts";

type Fields = Init<typeof ClusterSchema>;
type Policy = NonNullable<Init<typeof LoadBalancingPolicySchema>["policies"]>[number];

const policy = <Desc extends DescMessage>(
  name: string,
  schema: Desc,
  init?: Parameters<typeof pack<Desc>>[1],
): Policy => ({
  typedExtensionConfig: {
    name: `envoy.load_balancing_policies.${name}`,
    typedConfig: pack(schema, init),
  },
});

/** The first of a list that a library knows counts: not all of them have this one (gRPC's proposals A48 and A52). */
const leastRequest: Fields = {
  lbPolicy: LbPolicy.LEAST_REQUEST,
  loadBalancingPolicy: {
    policies: [
      policy("wrr_locality", WrrLocalitySchema, {
        endpointPickingPolicy: {
          policies: [policy("least_request", LeastRequestSchema), policy("round_robin", RoundRobinSchema)],
        },
      }),
    ],
  },
};

/**
 * Round robin is gRPC's own default, and what is left of the policies that it does not have (RANDOM, PASSTHROUGH). Of
 * consistent hashes it has the ring only. A cluster with anything else is refused.
 */
export function balancing(balancer: LoadBalancer | undefined): Fields {
  if (balancer?.consistentHash !== undefined) return ringFields(balancer.consistentHash.minimumRingSize);
  return balancer?.simple === Simple.LEAST_REQUEST ? leastRequest : {};
}
