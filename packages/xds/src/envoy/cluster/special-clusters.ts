import { create } from "@bufbuild/protobuf";
import {
  type Cluster,
  ClusterSchema,
  Cluster_DiscoveryType as DiscoveryType,
  Cluster_LbPolicy as LbPolicy,
} from "@envoyproxy/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import type { BindConfigSchema } from "@envoyproxy/xds-protos/envoy/config/core/v3/address_pb.js";
import type { Mesh } from "@keelson/protos/proxy";
import type { ConnectionPool } from "@keelson/protos/traffic-policy";
import { type Families, passthroughSourcesOf } from "../addresses.ts";
import { clusterNames, inboundClusterName } from "../names.ts";
import type { ProxyTraits } from "../traits.ts";
import { duration, type Init } from "../wire.ts";
import { connectionFields } from "./connection-pool.ts";
import { type HttpVersion, httpOptions } from "./http-options.ts";

type Fields = Init<typeof ClusterSchema>;

/** Where requests go that must go nowhere: no endpoint, so 503. */
export const blackHoleCluster = (mesh: Mesh): Cluster =>
  create(ClusterSchema, {
    name: clusterNames.blackHole,
    clusterDiscoveryType: { case: "type", value: DiscoveryType.STATIC },
    connectTimeout: duration(mesh.connectTimeoutMs),
    lbPolicy: LbPolicy.ROUND_ROBIN,
  });

function originalDestination(name: string, mesh: Mesh, proxy: ProxyTraits, pool?: ConnectionPool): Fields {
  return {
    name,
    ...(proxy.agent && { altStatName: `${name};` }),
    clusterDiscoveryType: { case: "type", value: DiscoveryType.ORIGINAL_DST },
    lbPolicy: LbPolicy.CLUSTER_PROVIDED,
    ...connectionFields(pool, mesh.connectTimeoutMs),
  };
}

const idle = 300_000n;

/** To wherever the caller meant to go. */
export const passthroughCluster = (mesh: Mesh, proxy: ProxyTraits): Cluster =>
  create(ClusterSchema, {
    ...originalDestination(clusterNames.passthrough, mesh, proxy),
    typedExtensionProtocolOptions: idleOptions,
  });

const idleOptions = httpOptions("downstream", { httpIdleTimeoutMs: idle } as ConnectionPool);

/** From an address that capture rules leave alone, so that the connection does not come back to the proxy. */
function fromPassthroughSource(families: Families): Init<typeof BindConfigSchema> {
  const [first = "", ...others] = passthroughSourcesOf(families);
  const source = (address: string) => ({
    address,
    portSpecifier: { case: "portValue" as const, value: 0 },
  });
  return {
    sourceAddress: source(first),
    extraSourceAddresses: others.map((address) => ({ address: source(address) })),
  };
}

/** To whatever port of the workload a caller came for that no service has. */
export const inboundPassthroughCluster = (mesh: Mesh, proxy: ProxyTraits): Cluster =>
  create(ClusterSchema, {
    ...originalDestination(clusterNames.inboundPassthrough, mesh, proxy),
    upstreamBindConfig: fromPassthroughSource(proxy.families),
    typedExtensionProtocolOptions: idleOptions,
  });

/** Envoy's largest duration, in milliseconds: the only "endpoint" of an inbound cluster never goes away. */
const forever = 9_223_372_035_000n;

export interface InboundClusterInputs {
  /** What the workload listens on; names the cluster. */
  readonly port: number;
  readonly httpVersion: HttpVersion;
  readonly pool: ConnectionPool | undefined;
}

/** To the workload's own port, as the caller dialled it. */
export const inboundCluster = (inputs: InboundClusterInputs, mesh: Mesh, proxy: ProxyTraits): Cluster =>
  create(ClusterSchema, {
    ...originalDestination(inboundClusterName(inputs.port), mesh, proxy, inputs.pool),
    cleanupInterval: duration(forever),
    upstreamBindConfig: fromPassthroughSource(proxy.families),
    typedExtensionProtocolOptions: httpOptions(inputs.httpVersion, inputs.pool),
  });

/** To the endpoint that a Sidecar names for one of its ingress listeners. */
export function inboundClusterTo(
  inputs: InboundClusterInputs,
  target: { readonly host: string; readonly port: number },
  mesh: Mesh,
  proxy: ProxyTraits,
): Cluster {
  const name = inboundClusterName(inputs.port);
  const address = target.host.startsWith("unix://")
    ? { case: "pipe" as const, value: { path: target.host.slice("unix://".length) } }
    : {
        case: "socketAddress" as const,
        value: { address: target.host, portSpecifier: { case: "portValue" as const, value: target.port } },
      };
  return create(ClusterSchema, {
    name,
    ...(proxy.agent && { altStatName: `${name};` }),
    clusterDiscoveryType: { case: "type", value: DiscoveryType.STATIC },
    lbPolicy: LbPolicy.ROUND_ROBIN,
    ...connectionFields(inputs.pool, mesh.connectTimeoutMs),
    loadAssignment: {
      clusterName: name,
      endpoints: [
        { lbEndpoints: [{ hostIdentifier: { case: "endpoint", value: { address: { address } } } }] },
      ],
    },
    typedExtensionProtocolOptions: httpOptions(inputs.httpVersion, inputs.pool),
  });
}
