import type { Bootstrap } from "./envoy.ts";

/** How an Envoy speaks ADS. */
export type AdsVariant = "GRPC" | "DELTA_GRPC";

/** Both, with what to call them. */
export const adsVariants: readonly (readonly [title: string, AdsVariant])[] = [
  ["the state of the world", "GRPC"],
  ["delta", "DELTA_GRPC"],
];

/** Where a server is: a port of 127.0.0.1, or the path of a Unix socket. */
export type ServerPlace = { readonly port: number } | { readonly path: string };

/** The least that an Envoy needs to get everything from a control plane: who it is, and where to ask. */
export function plainBootstrap(
  node: Readonly<Record<string, unknown>>,
  server: ServerPlace,
  api_type: AdsVariant,
): Bootstrap {
  return bootstrapWith(node, { envoy_grpc: { cluster_name: "xds" } }, api_type, grpcCluster("xds", server));
}

/**
 * @param service how ADS is asked for
 * @param cluster what that names
 */
export function bootstrapWith(
  node: Readonly<Record<string, unknown>>,
  service: Readonly<Record<string, unknown>>,
  api_type: AdsVariant,
  cluster: Readonly<Record<string, unknown>>,
): Bootstrap {
  const ads = { ads: {}, resource_api_version: "V3" };
  return {
    node: { cluster: "test", ...node },
    dynamic_resources: {
      ads_config: {
        api_type,
        transport_api_version: "V3",
        grpc_services: [service],
      },
      cds_config: ads,
      lds_config: ads,
    },
    static_resources: { clusters: [cluster] },
  };
}

/** A cluster of one server that speaks gRPC. */
export function grpcCluster(name: string, server: ServerPlace): Readonly<Record<string, unknown>> {
  const address =
    "path" in server
      ? { pipe: { path: server.path } }
      : { socket_address: { address: "127.0.0.1", port_value: server.port } };
  return {
    name,
    type: "STATIC",
    connect_timeout: "5s",
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }],
    },
  };
}
