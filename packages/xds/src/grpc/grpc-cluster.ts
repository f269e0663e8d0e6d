import { create } from "@bufbuild/protobuf";
import {
  type Cluster,
  ClusterSchema,
  Cluster_DiscoveryType as DiscoveryType,
} from "@envoyproxy/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { Resolution } from "@keelson/protos/policy";
import { type ConnectionPool, ClientTls_Mode as Mode } from "@keelson/protos/traffic-policy";
import { holdsEndpoints, namedEndpoints, type OutboundInputs } from "../envoy/cluster/outbound-cluster.ts";
import { overAds } from "../envoy/config-source.ts";
import { loadAssignment } from "../envoy/endpoint/load-assignment.ts";
import { outboundClusterName } from "../envoy/names.ts";
import type { Init } from "../envoy/wire.ts";
import { balancing } from "./balancing.ts";
import { clientSocket } from "./tls.ts";

type Fields = Init<typeof ClusterSchema>;

/** Of all limits gRPC knows the number of calls at a time (its proposal A32). */
const limits = (pool: ConnectionPool | undefined): Fields =>
  pool === undefined || pool.http2MaxRequests === 0
    ? {}
    : { circuitBreakers: { thresholds: [{ maxRequests: pool.http2MaxRequests }] } };

/** gRPC looks up one name for a cluster (its proposal A37); addresses beside others come by EDS. */
function discovery(name: string, inputs: OutboundInputs): Fields {
  const { service } = inputs;
  const endpoints = holdsEndpoints(service) ? namedEndpoints(inputs) : [];
  if (endpoints.length === 1 || service.resolution === Resolution.DNS_ROUND_ROBIN) {
    return {
      clusterDiscoveryType: { case: "type", value: DiscoveryType.LOGICAL_DNS },
      loadAssignment: loadAssignment(name, endpoints.slice(0, 1), { fallbackName: service.hostname }),
    };
  }
  return {
    clusterDiscoveryType: { case: "type", value: DiscoveryType.EDS },
    edsClusterConfig: { serviceName: name, edsConfig: overAds },
  };
}

/** A cluster as gRPC takes it, with nothing that it would refuse. */
export function grpcCluster(inputs: OutboundInputs): Cluster {
  const { service, port, subset, policy } = inputs;
  const name = outboundClusterName(port.port, subset, service.hostname);
  return create(ClusterSchema, {
    name,
    altStatName: `${name};`,
    ...discovery(name, inputs),
    ...balancing(policy.loadBalancer),
    ...limits(policy.connectionPool),
    // Nobody knows whether the client was made with credentials of xDS, so TLS is not a default here.
    ...(policy.tls?.mode === Mode.ISTIO_MUTUAL && { transportSocket: clientSocket(service.identities) }),
  });
}
