import { create } from "@bufbuild/protobuf";
import {
  type Cluster,
  ClusterSchema,
  Cluster_DiscoveryType as DiscoveryType,
  Cluster_LbPolicy as LbPolicy,
} from "@envoyproxy/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { HttpProtocolOptionsSchema } from "@envoyproxy/xds-protos/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";
import type { Mesh } from "@keelson/protos/proxy";
import { connectionFields } from "../cluster/connection-pool.ts";
import { httpOptions, httpOptionsKey } from "../cluster/http-options.ts";
import { rawBuffer } from "../cluster/transport.ts";
import type { ProxyTraits } from "../traits.ts";
import { duration, pack } from "../wire.ts";
import { internalUpstream } from "./internal-upstream.ts";
import { tunnelClientSocket } from "./tunnel-tls.ts";
import { originalDestinationKey, tunnelPort, waypointNames } from "./waypoint-names.ts";

const statName = (name: string, { agent }: ProxyTraits) => (agent ? { altStatName: `${name};` } : {});

/** To a listener inside the proxy. */
function internalCluster(name: string, listener: string, mesh: Mesh, proxy: ProxyTraits): Cluster {
  const address = {
    case: "envoyInternalAddress" as const,
    value: { addressNameSpecifier: { case: "serverListenerName" as const, value: listener } },
  };
  return create(ClusterSchema, {
    name,
    ...statName(name, proxy),
    clusterDiscoveryType: { case: "type", value: DiscoveryType.STATIC },
    ...connectionFields(undefined, mesh.connectTimeoutMs),
    loadAssignment: {
      clusterName: name,
      endpoints: [
        { lbEndpoints: [{ hostIdentifier: { case: "endpoint", value: { address: { address } } } }] },
      ],
    },
    transportSocket: internalUpstream(rawBuffer, false),
    typedExtensionProtocolOptions: httpOptions("downstream"),
  });
}

const connectOptions = {
  [httpOptionsKey]: pack(HttpProtocolOptionsSchema, {
    upstreamProtocolOptions: {
      case: "explicitHttpConfig",
      value: { protocolConfig: { case: "http2ProtocolOptions", value: { allowConnect: true } } },
    },
  }),
};

/** Begins a tunnel at the tunnel port of where a connection is meant to go. */
const originateCluster = (mesh: Mesh, proxy: ProxyTraits): Cluster =>
  create(ClusterSchema, {
    name: waypointNames.originate,
    ...statName(waypointNames.originate, proxy),
    clusterDiscoveryType: { case: "type", value: DiscoveryType.ORIGINAL_DST },
    lbPolicy: LbPolicy.CLUSTER_PROVIDED,
    ...connectionFields(undefined, mesh.connectTimeoutMs),
    cleanupInterval: duration(60_000),
    lbConfig: {
      case: "originalDstLbConfig",
      value: {
        upstreamPortOverride: tunnelPort,
        metadataKey: {
          key: originalDestinationKey,
          path: [{ segment: { case: "key", value: "waypoint" } }],
        },
      },
    },
    transportSocket: tunnelClientSocket(proxy, mesh),
    typedExtensionProtocolOptions: connectOptions,
  });

/** The clusters that every waypoint has. */
export const tunnelClusters = (mesh: Mesh, proxy: ProxyTraits): Cluster[] => [
  internalCluster(waypointNames.main, waypointNames.main, mesh, proxy),
  internalCluster(waypointNames.encapsulate, waypointNames.originate, mesh, proxy),
  originateCluster(mesh, proxy),
];
