import { create } from "@bufbuild/protobuf";
import {
  ClusterSchema,
  Cluster_DiscoveryType as DiscoveryType,
} from "@envoyproxy/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { TransportSocketSchema } from "@envoyproxy/xds-protos/envoy/config/core/v3/base_pb.js";
import type { Service, ServicePort } from "@keelson/protos/policy";
import { httpVersion } from "../cluster/http-options.ts";
import { holdsEndpoints, outboundCluster } from "../cluster/outbound-cluster.ts";
import { type ClusterEntry, type LabelParts, type Part, partsOf } from "../cluster/service-clusters.ts";
import { ruleTransport } from "../cluster/transport.ts";
import { localityPlan } from "../endpoint/locality-plan.ts";
import { outboundClusterName } from "../names.ts";
import type { ScopedService } from "../scope/scoped-service.ts";
import { policyFor } from "../traffic-policy.ts";
import { resourceOf } from "../wire.ts";
import { internalUpstream } from "./internal-upstream.ts";
import { vipKinds, type WaypointContext } from "./waypoint-context.ts";
import { vipClusterName } from "./waypoint-names.ts";

/** The clusters of a service that a waypoint stands before: of each port one for requests, one for bytes, or both. */
export function vipClusters(
  { service, ports }: ScopedService,
  context: WaypointContext,
  labelParts: LabelParts,
): ClusterEntry[] {
  const parts = partsOf(service.hostname, context.policyOf(service), labelParts);
  return ports.flatMap((port) =>
    parts.flatMap((part) => vipKinds(port).map((kind) => vipCluster(service, port, part, kind, context))),
  );
}

function vipCluster(
  service: Service,
  port: ServicePort,
  { key, labels, subset }: Part,
  kind: "http" | "tcp",
  context: WaypointContext,
): ClusterEntry {
  const { mesh, proxy } = context;
  const { hostname } = service;
  const rule = context.policyOf(service);
  const policy = policyFor(rule, port.port, subset);
  const set = outboundClusterName(port.port, labels, hostname);
  const name = vipClusterName(port.port, kind, key, hostname);
  const inputs = {
    service,
    port,
    subset: key,
    policy,
    rule: rule?.name,
    endpoints: holdsEndpoints(service) ? (context.endpointSet(set)?.endpoints ?? []) : [],
    mesh,
    proxy,
    name,
    transport: false,
  };
  const version = httpVersion(port.applicationProtocol, policy.connectionPool, false);
  const socket = internalUpstream(ruleTransport(policy, service, proxy, version === "http2"), true);
  const cluster = { ...outboundCluster(inputs), transportSocket: create(TransportSocketSchema, socket) };
  const byEds = cluster.clusterDiscoveryType.value === DiscoveryType.EDS;
  const plan = localityPlan(policy.loadBalancer?.locality, policy.outlierDetection, proxy);
  return {
    resource: resourceOf(ClusterSchema, name, cluster),
    hostname,
    endpoints: byEds ? { set, plan, onlyMutualTls: false, tunnels: true } : undefined,
  };
}
