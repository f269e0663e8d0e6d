import { create } from "@bufbuild/protobuf";
import {
  IngressMode,
  type LegacyMesh,
  LegacyMeshSchema,
  type Mesh,
  MeshSchema,
  OutboundPolicy,
} from "@keelson/protos/proxy";

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
    ingressClass: "istio",
    ingressMode: IngressMode.STRICT,
    legacy: defaultLegacyMesh(),
  });
}

/** The defaults of Istio 0.2.12 and 0.7.1 (Pilot's proxy/context.go). */
export function defaultLegacyMesh(): LegacyMesh {
  return create(LegacyMeshSchema, {
    egressProxyAddress: "istio-egress:80",
    proxyListenPort: 15001,
    connectTimeoutMs: 1000n,
    rdsRefreshDelayMs: 1000n,
    enableTracing: true,
    accessLogFile: "/dev/stdout",
  });
}
