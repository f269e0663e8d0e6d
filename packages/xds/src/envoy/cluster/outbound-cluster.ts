import { create } from "@bufbuild/protobuf";
import {
  type Cluster,
  ClusterSchema,
  Cluster_DiscoveryType as DiscoveryType,
  Cluster_DnsLookupFamily as DnsLookupFamily,
  Cluster_LbPolicy as LbPolicy,
} from "@envoyproxy/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { HealthStatus } from "@envoyproxy/xds-protos/envoy/config/core/v3/health_check_pb.js";
import {
  type Endpoint,
  EndpointSchema,
  Resolution,
  type Service,
  type ServicePort,
} from "@keelson/protos/policy";
import type { Mesh } from "@keelson/protos/proxy";
import { LoadBalancer_Simple as Simple } from "@keelson/protos/traffic-policy";
import { overAds } from "../config-source.ts";
import { loadAssignment } from "../endpoint/load-assignment.ts";
import { localityPlan } from "../endpoint/locality-plan.ts";
import { outboundClusterName } from "../names.ts";
import type { PolicyParts } from "../traffic-policy.ts";
import { isSidecar, type ProxyTraits } from "../traits.ts";
import type { Init } from "../wire.ts";
import { clusterMetadata } from "./cluster-metadata.ts";
import { connectionFields } from "./connection-pool.ts";
import { httpOptions, httpVersion } from "./http-options.ts";
import { balancerFields, weighsLocalities } from "./load-balancer.ts";
import { outlierFields } from "./outlier-detection.ts";
import { automaticNames, transportFields } from "./transport.ts";

/** All that the cluster of a service's port, or of a subset of its endpoints, is made from. */
export interface OutboundInputs {
  readonly service: Service;
  readonly port: ServicePort;
  /** Name of a subset, or sorted labels; empty: all endpoints. */
  readonly subset: string;
  readonly policy: PolicyParts;
  /** Name of the rule that the policy comes from, "DestinationRule/default/reviews". */
  readonly rule: string | undefined;
  /** Only needed where the cluster itself holds its endpoints: see {@link holdsEndpoints}. */
  readonly endpoints: readonly Endpoint[];
  readonly mesh: Mesh;
  readonly proxy: ProxyTraits;
  /** Name of the cluster, if it is not the usual one. */
  readonly name?: string;
  /** False where the bytes already are TLS. */
  readonly transport?: boolean;
}

/** How the endpoints of a service's cluster are found by this proxy. */
function discoveryType(service: Service, policy: PolicyParts, proxy: ProxyTraits): DiscoveryType {
  if (policy.loadBalancer?.simple === Simple.PASSTHROUGH) return DiscoveryType.ORIGINAL_DST;
  switch (service.resolution) {
    case Resolution.DNS:
      return DiscoveryType.STRICT_DNS;
    case Resolution.DNS_ROUND_ROBIN:
      return DiscoveryType.LOGICAL_DNS;
    case Resolution.PASSTHROUGH:
      // Gateways have no original destination to go to.
      return isSidecar(proxy) ? DiscoveryType.ORIGINAL_DST : DiscoveryType.EDS;
    default:
      return DiscoveryType.EDS;
  }
}

const isDns = (type: DiscoveryType): boolean =>
  type === DiscoveryType.STRICT_DNS || type === DiscoveryType.LOGICAL_DNS;

/** Whether a service's clusters hold its endpoints themselves, so that they change with them. */
export const holdsEndpoints = ({ resolution }: Service): boolean =>
  resolution === Resolution.DNS || resolution === Resolution.DNS_ROUND_ROBIN;

/**
 * Of hosts that a session may go on with. Without such a list, Envoy forgets hosts that drain; with it, it still gives
 * them nothing new.
 */
const sessionStatuses = [
  HealthStatus.UNKNOWN,
  HealthStatus.HEALTHY,
  HealthStatus.DRAINING,
  HealthStatus.DEGRADED,
];

export function outboundCluster(inputs: OutboundInputs): Cluster {
  const { service, port, subset, policy, mesh, proxy } = inputs;
  const name = inputs.name ?? outboundClusterName(port.port, subset, service.hostname);
  const type = discoveryType(service, policy, proxy);
  const pool = policy.connectionPool;
  const version = httpVersion(port.applicationProtocol, pool, isSidecar(proxy));
  const ejects = policy.outlierDetection !== undefined;
  const weighted = weighsLocalities(policy.loadBalancer?.locality, ejects);
  return create(ClusterSchema, {
    name,
    // The delimiter lets the agent's bootstrap cut the name out of a statistic's.
    ...(proxy.agent && { altStatName: `${name};` }),
    clusterDiscoveryType: { case: "type", value: type },
    ...connectionFields(pool, mesh.connectTimeoutMs),
    ...(type === DiscoveryType.ORIGINAL_DST
      ? { lbPolicy: LbPolicy.CLUSTER_PROVIDED }
      : balancerFields(policy.loadBalancer)),
    ...endpointFields(name, type, inputs),
    commonLbConfig: {
      ...(policy.outlierDetection && {
        healthyPanicThreshold: { value: policy.outlierDetection.minHealthPercent },
      }),
      ...(service.keepsSessions && { overrideHostStatus: { statuses: sessionStatuses } }),
      ...(weighted && { localityConfigSpecifier: { case: "localityWeightedLbConfig" as const, value: {} } }),
    },
    ...(policy.outlierDetection && { outlierDetection: outlierFields(policy.outlierDetection) }),
    ...(inputs.transport !== false && transportFields({ ...inputs, type, http2: version === "http2" })),
    typedExtensionProtocolOptions: httpOptions(version, pool, automaticNames(policy.tls)),
    metadata: clusterMetadata(inputs),
  });
}

function endpointFields(
  name: string,
  type: DiscoveryType,
  inputs: OutboundInputs,
): Init<typeof ClusterSchema> {
  const { service, policy, proxy } = inputs;
  if (type === DiscoveryType.EDS) return { edsClusterConfig: { serviceName: name, edsConfig: overAds } };
  if (!isDns(type)) return {};
  const known = namedEndpoints(inputs);
  // LOGICAL_DNS looks up one name, wherever that is, and is refused without one.
  const isOne = type === DiscoveryType.LOGICAL_DNS;
  const used = isOne ? known.slice(0, 1) : known;
  const plan = isOne
    ? undefined
    : localityPlan(policy.loadBalancer?.locality, policy.outlierDetection, proxy);
  return {
    dnsLookupFamily: dnsFamily(proxy),
    loadAssignment: loadAssignment(name, used, { plan, fallbackName: service.hostname }),
  };
}

/** Endpoints that are looked up by name; a service without any stands for its own name. */
export const namedEndpoints = ({
  service: { hostname },
  port: { port },
  endpoints,
}: OutboundInputs): readonly Endpoint[] =>
  endpoints.length > 0 ? endpoints : [create(EndpointSchema, { hostname, port, weight: 1 })];

function dnsFamily({ families }: ProxyTraits): DnsLookupFamily {
  if (families.length > 1) return DnsLookupFamily.ALL;
  return families[0] === "IPv4" ? DnsLookupFamily.V4_ONLY : DnsLookupFamily.V6_ONLY;
}
