import type { JsonObject } from "@bufbuild/protobuf";
import type { LbEndpointSchema } from "@envoyproxy/xds-protos/envoy/config/endpoint/v3/endpoint_components_pb.js";
import type { Endpoint } from "@keelson/protos/policy";
import { formatAddress } from "../addresses.ts";
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

/** @returns undefined for an endpoint that has neither address nor name. */
export function lbEndpoint(
  endpoint: Endpoint,
  fallbackName?: string,
): Init<typeof LbEndpointSchema> | undefined {
  const name =
    endpoint.address.length > 0 ? formatAddress(endpoint.address) : endpoint.hostname || fallbackName;
  if (name === undefined) return undefined;
  const metadata = filterMetadata(endpoint);
  return {
    hostIdentifier: {
      case: "endpoint",
      value: {
        address: {
          address: {
            case: "socketAddress",
            value: { address: name, portSpecifier: { case: "portValue", value: endpoint.port } },
          },
        },
      },
    },
    loadBalancingWeight: endpoint.weight || 1,
    ...(Object.keys(metadata).length > 0 && { metadata: { filterMetadata: metadata } }),
  };
}
