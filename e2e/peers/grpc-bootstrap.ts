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
}

/**
 * What istio's injection template grpc-simple writes into a proxyless pod
 * (manifests/charts/istio-control/istio-discovery/files/grpc-simple.yaml).
 */
export function proxylessBootstrap(node: ProxylessNode): GrpcBootstrap {
  const { name, namespace, address } = node;
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
    certificate_providers: {},
    server_listener_resource_name_template: "xds.istio.io/grpc/lds/inbound/%s",
  };
}
