import {
  type ClusterSchema,
  Cluster_LbPolicy as LbPolicy,
} from "@envoyproxy/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import {
  type ConsistentHash,
  type LoadBalancer,
  type LocalityBalancing,
  LoadBalancer_Simple as Simple,
} from "@keelson/protos/traffic-policy";
import { duration, type Init } from "../wire.ts";

type Fields = Init<typeof ClusterSchema>;

/** Istio's default size of a hash ring. */
const defaultRingSize = 1024n;
/** Of Envoy's API; a cluster with a larger one is refused. */
const largestRingSize = 8_388_608n;

/** Fields of a cluster that say how an endpoint is chosen. Not for ORIGINAL_DST, where nothing is. */
export function balancerFields(balancer: LoadBalancer | undefined): Fields {
  if (balancer?.consistentHash !== undefined) return hashFields(balancer.consistentHash);
  const slowStartConfig = balancer?.warmupMs ? { slowStartWindow: duration(balancer.warmupMs) } : undefined;
  switch (balancer?.simple) {
    case Simple.RANDOM:
      return { lbPolicy: LbPolicy.RANDOM };
    case Simple.ROUND_ROBIN:
      return {
        lbPolicy: LbPolicy.ROUND_ROBIN,
        ...(slowStartConfig && { lbConfig: { case: "roundRobinLbConfig", value: { slowStartConfig } } }),
      };
    default:
      return {
        lbPolicy: LbPolicy.LEAST_REQUEST,
        ...(slowStartConfig && { lbConfig: { case: "leastRequestLbConfig", value: { slowStartConfig } } }),
      };
  }
}

function hashFields({ maglevTableSize, minimumRingSize }: ConsistentHash): Fields {
  if (maglevTableSize !== 0n) {
    return {
      lbPolicy: LbPolicy.MAGLEV,
      lbConfig: { case: "maglevLbConfig", value: { tableSize: maglevTableSize } },
    };
  }
  return ringFields(minimumRingSize);
}

/** A ring of hashes. @param minimumSize 0: Istio's default */
export function ringFields(minimumSize: bigint): Fields {
  const wanted = minimumSize || defaultRingSize;
  const minimumRingSize = wanted < largestRingSize ? wanted : largestRingSize;
  return { lbPolicy: LbPolicy.RING_HASH, lbConfig: { case: "ringHashLbConfig", value: { minimumRingSize } } };
}

/** Whether the shares of localities are set by weights. Failover works only where bad endpoints are noticed. */
export function weighsLocalities(locality: LocalityBalancing | undefined, ejects: boolean): boolean {
  if (locality === undefined || locality.enabled === false) return false;
  const failsOver = locality.failover.length > 0 || locality.failoverPriority.length > 0;
  return locality.distribute.length > 0 || (ejects && failsOver);
}
