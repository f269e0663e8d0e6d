import type { JsonObject } from "@bufbuild/protobuf";
import type { AddressSchema } from "@envoyproxy/xds-protos/envoy/config/core/v3/address_pb.js";
import { HealthStatus } from "@envoyproxy/xds-protos/envoy/config/core/v3/health_check_pb.js";
import type { LbEndpointSchema } from "@envoyproxy/xds-protos/envoy/config/endpoint/v3/endpoint_components_pb.js";
import type { Endpoint } from "@keelson/protos/policy";
import { formatAddress } from "../addresses.ts";
import { hostAndPort } from "../names.ts";
import { originalDestinationKey, waypointNames } from "../waypoint/waypoint-names.ts";
import type { Init } from "../wire.ts";

/** "app=a" pairs as a record. */
export function labelsOf({ labels }: Endpoint): Record<string, string> {
  return Object.fromEntries(
    labels.map((label) => {
      const equals = label.indexOf("=");
      return [label.slice(0, equals), label.slice(equals + 1)];
    }),
  );
}

/** Tells which socket of the cluster to use, and telemetry which workload answered. */
function filterMetadata(endpoint: Endpoint): Record<string, JsonObject> {
  const { app = "", version = "" } = labelsOf(endpoint);
  const [namespace = "", pod = ""] = endpoint.workload.split("/");
  return {
    ...(endpoint.mutualTls && { "envoy.transport_socket_match": { tlsMode: "istio" } }),
    // "workload;namespace;canonical service;revision;cluster"
    ...(endpoint.workload !== "" && {
      istio: { workload: `${pod};${namespace};${app || pod};${version};` },
    }),
  };
}

export interface LbEndpointOptions {
  /** What an endpoint without address and name stands for; without it such endpoints are left out. */
  readonly fallbackName?: string;
  /** Those that are reached through tunnels are. */
  readonly tunnels?: boolean;
  /** Those that take no new connections, and are there for their sessions. */
  readonly draining?: ReadonlySet<Endpoint>;
}

/** @returns undefined for an endpoint that has neither address nor name. */
export function lbEndpoint(
  endpoint: Endpoint,
  { fallbackName, tunnels = false, draining }: LbEndpointOptions,
): Init<typeof LbEndpointSchema> | undefined {
  const name =
    endpoint.address.length > 0 ? formatAddress(endpoint.address) : endpoint.hostname || fallbackName;
  if (name === undefined) return undefined;
  const target = hostAndPort(name, endpoint.port);
  const tunnel = tunnels && endpoint.tunnel;
  const metadata = {
    ...filterMetadata(endpoint),
    ...(tunnel && { [originalDestinationKey]: { local: target } }),
  };
  return {
    hostIdentifier: {
      case: "endpoint",
      value: { address: { address: tunnel ? tunnelTo(target) : socketOf(name, endpoint.port) } },
    },
    loadBalancingWeight: endpoint.weight || 1,
    ...(draining?.has(endpoint) && { healthStatus: HealthStatus.DRAINING }),
    ...(Object.keys(metadata).length > 0 && { metadata: { filterMetadata: metadata } }),
  };
}

type Address = NonNullable<Init<typeof AddressSchema>["address"]>;

const socketOf = (address: string, port: number): Address => ({
  case: "socketAddress",
  value: { address, portSpecifier: { case: "portValue", value: port } },
});

/** By the listener that begins tunnels. */
const tunnelTo = (target: string): Address => ({
  case: "envoyInternalAddress",
  value: {
    addressNameSpecifier: { case: "serverListenerName", value: waypointNames.originate },
    endpointId: target,
  },
});
