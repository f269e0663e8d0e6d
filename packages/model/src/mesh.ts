import { create } from "@bufbuild/protobuf";
import { type Mesh, MeshSchema, OutboundPolicy } from "@keelson/protos/proxy";

/** What holds where no mesh configuration says otherwise: the defaults of Istio's MeshConfig. */
export function defaultMesh(domain: string): Mesh {
  return create(MeshSchema, {
    trustDomain: "cluster.local",
    rootNamespace: "istio-system",
    proxyListenPort: 15001,
    proxyInboundListenPort: 15006,
    connectTimeoutMs: 10_000n,
    outboundPolicy: OutboundPolicy.ALLOW_ANY,
    enableAutoMtls: true,
    dnsRefreshRateMs: 60_000n,
    domain,
  });
}
