import { create } from "@bufbuild/protobuf";
import {
  CaptureMode,
  type EgressListener,
  EgressListenerSchema,
  type IngressListener,
  IngressListenerSchema,
  OutboundPolicy,
  type SidecarScope,
  SidecarScopeSchema,
} from "@keelson/protos/proxy";
import type { SidecarObject } from "../kinds/index.ts";
import type { SidecarEgress, SidecarIngress } from "../kinds/sidecar.ts";
import { serverTlsOf } from "./server-tls.ts";
import { sortedEntries } from "./string-match.ts";
import { connectionPoolOf } from "./traffic-policies.ts";

/** @param object passed checkSidecar */
export function normaliseSidecar(object: SidecarObject): SidecarScope {
  const { workloadSelector, egress, ingress, outboundTrafficPolicy, inboundConnectionPool } =
    object.body.spec;
  const { name, namespace } = object.metadata;
  return create(SidecarScopeSchema, {
    name: `${namespace}/${name}`,
    namespace,
    workloadLabels: Object.fromEntries(sortedEntries(workloadSelector?.labels)),
    egress: egress.map((listener) => egressOf(listener, namespace)),
    ingress: ingress.map(ingressOf),
    outboundPolicy: outboundPolicies[outboundTrafficPolicy?.mode ?? "MESH"],
    ...(inboundConnectionPool && { inboundConnectionPool: connectionPoolOf(inboundConnectionPool) }),
  });
}

const outboundPolicies = {
  MESH: OutboundPolicy.UNSPECIFIED,
  REGISTRY_ONLY: OutboundPolicy.REGISTRY_ONLY,
  ALLOW_ANY: OutboundPolicy.ALLOW_ANY,
} as const;

const captureModes = {
  DEFAULT: CaptureMode.UNSPECIFIED,
  IPTABLES: CaptureMode.IPTABLES,
  NONE: CaptureMode.NONE,
} as const;

function egressOf({ port, bind, captureMode, hosts }: SidecarEgress, namespace: string): EgressListener {
  return create(EgressListenerSchema, {
    port: port?.number ?? 0,
    portName: port?.name ?? "",
    protocol: port?.protocol.toUpperCase() ?? "",
    bind: bind ?? "",
    captureMode: captureModes[captureMode],
    hosts: hosts.map((host) => (host.startsWith("./") ? `${namespace}/${host.slice(2)}` : host)),
  });
}

function ingressOf(listener: SidecarIngress): IngressListener {
  const { port, bind, captureMode, defaultEndpoint, tls, connectionPool } = listener;
  return create(IngressListenerSchema, {
    port: port.number,
    portName: port.name ?? "",
    protocol: port.protocol.toUpperCase(),
    bind: bind ?? "",
    captureMode: captureModes[captureMode],
    defaultEndpoint: defaultEndpoint ?? "",
    ...(tls && { tls: serverTlsOf(tls) }),
    ...(connectionPool && { connectionPool: connectionPoolOf(connectionPool) }),
  });
}
