import type { Bootstrap } from "./envoy.ts";

/** How an Envoy speaks ADS. */
export type AdsVariant = "GRPC" | "DELTA_GRPC";

/** The least that an Envoy needs to get everything from a control plane: who it is, and where to ask. */
export function plainBootstrap(
  node: Readonly<Record<string, unknown>>,
  port: number,
  api_type: AdsVariant,
): Bootstrap {
  const ads = { ads: {}, resource_api_version: "V3" };
  return {
    node: { cluster: "test", ...node },
    dynamic_resources: {
      ads_config: {
        api_type,
        transport_api_version: "V3",
        grpc_services: [{ envoy_grpc: { cluster_name: "xds" } }],
      },
      cds_config: ads,
      lds_config: ads,
    },
    static_resources: {
      clusters: [
        {
          name: "xds",
          type: "STATIC",
          connect_timeout: "5s",
          typed_extension_protocol_options: {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
              "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
              explicit_http_config: { http2_protocol_options: {} },
            },
          },
          load_assignment: {
            cluster_name: "xds",
            endpoints: [
              {
                lb_endpoints: [
                  { endpoint: { address: { socket_address: { address: "127.0.0.1", port_value: port } } } },
                ],
              },
            ],
          },
        },
      ],
    },
  };
}
