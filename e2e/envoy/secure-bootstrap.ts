import type { Bootstrap } from "../peers/envoy.ts";
import { type AdsVariant, bootstrapWith, grpcCluster } from "../peers/plain-envoy.ts";

export interface SecureServer {
  readonly port: number;
  /** The name that its certificate must have, and PEM of who signed that. */
  readonly name: string;
  readonly root: string;
  /** Shown with each stream. */
  readonly token: string;
}

/** An Envoy that shows a token, on a port with TLS. */
export function secureBootstrap(
  node: Readonly<Record<string, unknown>>,
  server: SecureServer,
  api_type: AdsVariant,
): Bootstrap {
  const service = {
    envoy_grpc: { cluster_name: "xds" },
    initial_metadata: [{ key: "authorization", value: `Bearer ${server.token}` }],
  };
  return bootstrapWith(node, service, api_type, xdsCluster(server));
}

const xdsCluster = ({ port, name, root }: SecureServer) => ({
  ...grpcCluster("xds", { port }),
  transport_socket: {
    name: "envoy.transport_sockets.tls",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
      sni: name,
      common_tls_context: {
        validation_context: {
          trusted_ca: { inline_string: root },
          match_typed_subject_alt_names: [{ san_type: "DNS", matcher: { exact: name } }],
        },
      },
    },
  },
});
