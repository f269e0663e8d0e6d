import { IngressMode, type Mesh, OutboundPolicy } from "@keelson/protos/proxy";
import { omitEmpty } from "../page.ts";

/** 1,500 ms: "1.500s"; as protobuf's JSON has durations. */
function duration(milliseconds: bigint): string {
  const fraction = milliseconds % 1000n;
  const point = fraction === 0n ? "" : `.${fraction.toString().padStart(3, "0")}`;
  return `${milliseconds / 1000n}${point}s`;
}

const ingressModes: Readonly<Partial<Record<IngressMode, string>>> = {
  [IngressMode.OFF]: "OFF",
  [IngressMode.DEFAULT]: "DEFAULT",
  [IngressMode.STRICT]: "STRICT",
};

/** The mesh configuration with the names of Istio's MeshConfig: what is read of it, and the defaults. */
export function meshJson(mesh: Mesh): object {
  return omitEmpty({
    proxyListenPort: mesh.proxyListenPort,
    proxyInboundListenPort: mesh.proxyInboundListenPort,
    connectTimeout: duration(mesh.connectTimeoutMs),
    protocolDetectionTimeout: duration(mesh.protocolDetectionTimeoutMs),
    ingressClass: mesh.ingressClass,
    ingressControllerMode: ingressModes[mesh.ingressMode],
    accessLogFile: mesh.accessLogFile,
    accessLogEncoding: mesh.accessLogJson ? "JSON" : undefined,
    accessLogFormat: mesh.accessLogFormat,
    outboundTrafficPolicy: {
      mode: mesh.outboundPolicy === OutboundPolicy.REGISTRY_ONLY ? "REGISTRY_ONLY" : "ALLOW_ANY",
    },
    enableAutoMtls: mesh.enableAutoMtls,
    trustDomain: mesh.trustDomain,
    rootNamespace: mesh.rootNamespace,
    dnsRefreshRate: duration(mesh.dnsRefreshRateMs),
  });
}
