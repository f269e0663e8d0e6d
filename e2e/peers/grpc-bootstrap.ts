import { join } from "node:path";
import type { GrpcBootstrap } from "./echo.ts";

export interface ProxylessNode {
  /** HOST:PORT of the control plane's port in the clear. */
  readonly discoveryAddress: string;
  readonly name: string;
  readonly namespace: string;
  /** The pod's. */
  readonly address: string;
  /** More of the node's metadata. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Folder with the files that istio's agent writes: cert-chain.pem, key.pem and root-cert.pem. None if left out. */
  readonly certificates?: string;
}

/** What istio's agent names in the bootstrap (pkg/istio-agent/grpcxds/grpc_bootstrap.go), but for its own paths. */
const certificateProvider = (folder: string) => ({
  plugin_name: "file_watcher",
  config: {
    certificate_file: join(folder, "cert-chain.pem"),
    private_key_file: join(folder, "key.pem"),
    ca_certificate_file: join(folder, "root-cert.pem"),
    refresh_interval: "900s",
  },
});

/**
 * What istio's injection template grpc-simple writes into a proxyless pod
 * (manifests/charts/istio-control/istio-discovery/files/grpc-simple.yaml).
 */
export function proxylessBootstrap(node: ProxylessNode): GrpcBootstrap {
  const { name, namespace, address, certificates } = node;
  return {
    xds_servers: [
      {
        server_uri: node.discoveryAddress,
        channel_creds: [{ type: "insecure" }],
        server_features: ["xds_v3"],
      },
    ],
    node: {
      id: `sidecar~${address}~${name}.${namespace}~${namespace}.svc.cluster.local`,
      metadata: { GENERATOR: "grpc", NAMESPACE: namespace, CLUSTER_ID: "Kubernetes", ...node.metadata },
      locality: {},
    },
    certificate_providers: certificates === undefined ? {} : { default: certificateProvider(certificates) },
    server_listener_resource_name_template: "xds.istio.io/grpc/lds/inbound/%s",
  };
}
