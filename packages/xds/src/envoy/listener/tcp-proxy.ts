import { create } from "@bufbuild/protobuf";
import {
  type Filter,
  FilterSchema,
} from "@envoyproxy/xds-protos/envoy/config/listener/v3/listener_components_pb.js";
import { TcpProxySchema } from "@envoyproxy/xds-protos/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import type { Mesh } from "@keelson/protos/proxy";
import { duration, type Init, typedConfig } from "../wire.ts";
import { accessLogs } from "./access-log.ts";

export interface WeightedCluster {
  readonly name: string;
  /** At least 1, relative to the others. */
  readonly weight: number;
}

export interface TcpProxyInputs {
  readonly statPrefix: string;
  /** At least one. */
  readonly clusters: readonly WeightedCluster[];
  readonly idleTimeoutMs?: number | undefined;
  readonly maxConnectionDurationMs?: number | undefined;
  /** Connections of one source address go to one endpoint. */
  readonly hashesSource?: boolean;
}

type ClusterSpecifier = NonNullable<Init<typeof TcpProxySchema>["clusterSpecifier"]>;

function clusterSpecifier(clusters: readonly WeightedCluster[]): ClusterSpecifier {
  const [first] = clusters;
  if (first !== undefined && clusters.length === 1) return { case: "cluster", value: first.name };
  return { case: "weightedClusters", value: { clusters: clusters.map((cluster) => ({ ...cluster })) } };
}

/** The filter that passes bytes on. */
export function tcpProxy(inputs: TcpProxyInputs, mesh: Mesh): Filter {
  const { idleTimeoutMs, maxConnectionDurationMs } = inputs;
  return create(FilterSchema, {
    name: "envoy.filters.network.tcp_proxy",
    configType: typedConfig(TcpProxySchema, {
      statPrefix: inputs.statPrefix,
      clusterSpecifier: clusterSpecifier(inputs.clusters),
      ...(idleTimeoutMs !== undefined && { idleTimeout: duration(idleTimeoutMs) }),
      ...(maxConnectionDurationMs !== undefined && {
        maxDownstreamConnectionDuration: duration(maxConnectionDurationMs),
      }),
      ...(inputs.hashesSource === true && {
        hashPolicy: [{ policySpecifier: { case: "sourceIp", value: {} } }],
      }),
      accessLog: accessLogs(mesh),
    }),
  });
}

/** To one cluster without further ado. */
export const passTo = (cluster: string, mesh: Mesh, idleTimeoutMs?: number): Filter =>
  tcpProxy({ statPrefix: cluster, clusters: [{ name: cluster, weight: 1 }], idleTimeoutMs }, mesh);
