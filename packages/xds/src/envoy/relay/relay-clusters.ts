import { createHash } from "node:crypto";
import { create, toBinary } from "@bufbuild/protobuf";
import {
  type Cluster,
  ClusterSchema,
  Cluster_DiscoveryType as DiscoveryType,
} from "@envoyproxy/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import type { BindConfigSchema } from "@envoyproxy/xds-protos/envoy/config/core/v3/address_pb.js";
import { formatLabels } from "@keelson/protos";
import type { ApplicationProtocol, Destination } from "@keelson/protos/policy";
import type { RouteDestination } from "@keelson/protos/route";
import {
  ConnectionPoolSchema,
  type TrafficPolicy,
  TrafficPolicySchema,
} from "@keelson/protos/traffic-policy";
import { connectionFields } from "../cluster/connection-pool.ts";
import { httpOptions, httpVersion } from "../cluster/http-options.ts";
import { balancerFields } from "../cluster/load-balancer.ts";
import { outlierFields } from "../cluster/outlier-detection.ts";
import { overAds } from "../config-source.ts";
import type { Init } from "../wire.ts";

/** Endpoints, what holds for calls to them, and how they are spoken to. */
export interface RelayCluster {
  readonly name: string;
  readonly endpointSet: string;
  readonly policy: TrafficPolicy | undefined;
  readonly protocol: ApplicationProtocol;
}

/** meshConfig.connectTimeout as Istio has it. */
const connectTimeoutMs = 10_000n;
/** Connections that callers have left hold their network namespace, which goes with its pod, no longer than this. */
const idleTimeoutMs = 60_000n;

/**
 * Connections are opened in the network namespace that the caller's connection says (`relay-listener.ts`), and shared with no
 * other. Envoy looks there only where there is an address to come from.
 */
const inCallersNetwork: Init<typeof BindConfigSchema> = {
  sourceAddress: { address: "0.0.0.0", portSpecifier: { case: "portValue", value: 0 } },
  extraSourceAddresses: [{ address: { address: "::", portSpecifier: { case: "portValue", value: 0 } } }],
  localAddressSelector: {
    name: "envoy.upstream.local_address_selector.filter_state_override",
    typedConfig: {
      typeUrl: "type.googleapis.com/envoy.extensions.local_address_selectors.filter_state_override.v3.Config",
    },
  },
};

/** Another policy is another cluster: requests under way keep theirs. */
export function relayClusterOf(
  { endpointSet, policy }: Destination,
  named: RouteDestination | undefined,
  protocol: ApplicationProtocol,
): RelayCluster {
  const part = named === undefined ? "" : named.subset || formatLabels(named.labels);
  const digest = createHash("sha256")
    .update(policy === undefined ? "" : toBinary(TrafficPolicySchema, policy))
    .digest("hex")
    .slice(0, 12);
  return { name: `${endpointSet}|${part}|${protocol}|${digest}`, endpointSet, policy, protocol };
}

export function relayCluster({ name, policy, protocol }: RelayCluster): Cluster {
  const { connectionPool: pool, outlierDetection, loadBalancer } = policy ?? {};
  const idle = pool?.httpIdleTimeoutMs || pool?.tcpIdleTimeoutMs || idleTimeoutMs;
  const ownPool = { ...(pool ?? create(ConnectionPoolSchema)), httpIdleTimeoutMs: idle };
  return create(ClusterSchema, {
    name,
    clusterDiscoveryType: { case: "type", value: DiscoveryType.EDS },
    edsClusterConfig: { serviceName: name, edsConfig: overAds },
    ...connectionFields(pool, connectTimeoutMs),
    ...balancerFields(loadBalancer),
    ...(outlierDetection && {
      outlierDetection: outlierFields(outlierDetection),
      commonLbConfig: { healthyPanicThreshold: { value: outlierDetection.minHealthPercent } },
    }),
    upstreamBindConfig: inCallersNetwork,
    typedExtensionProtocolOptions: httpOptions(httpVersion(protocol, pool, false), ownPool),
  });
}
