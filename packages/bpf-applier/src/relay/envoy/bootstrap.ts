/** Sockets of one Envoy, in a folder of its own. */
export interface EnvoySockets {
  /** Where the agent serves its configuration. */
  readonly xds: string;
  readonly admin: string;
}

/** Of callers, on the node. */
const mostConnections = 50_000;

const connectionLimit =
  "type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig";
const http2 = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/** The least that an Envoy needs to get everything from the agent that starts it, as JSON. */
export function bootstrapText({ xds, admin }: EnvoySockets): string {
  const overAds = { ads: {}, initial_fetch_timeout: "0s", resource_api_version: "V3" };
  return JSON.stringify({
    node: { id: "relay", cluster: "relay" },
    admin: { address: { pipe: { path: admin, mode: 0o600 } } },
    overload_manager: {
      resource_monitors: [
        {
          name: "envoy.resource_monitors.global_downstream_max_connections",
          typed_config: { "@type": connectionLimit, max_active_downstream_connections: mostConnections },
        },
      ],
    },
    dynamic_resources: {
      ads_config: {
        api_type: "DELTA_GRPC",
        transport_api_version: "V3",
        grpc_services: [{ envoy_grpc: { cluster_name: "agent" } }],
      },
      cds_config: overAds,
      lds_config: overAds,
    },
    static_resources: {
      clusters: [
        {
          name: "agent",
          type: "STATIC",
          connect_timeout: "5s",
          typed_extension_protocol_options: {
            [http2]: {
              "@type": `type.googleapis.com/${http2}`,
              explicit_http_config: { http2_protocol_options: {} },
            },
          },
          load_assignment: {
            cluster_name: "agent",
            endpoints: [{ lb_endpoints: [{ endpoint: { address: { pipe: { path: xds } } } }] }],
          },
        },
      ],
    },
  });
}
