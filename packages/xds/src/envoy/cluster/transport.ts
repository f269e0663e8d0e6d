import {
  type ClusterSchema,
  Cluster_DiscoveryType as DiscoveryType,
} from "@envoyproxy/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import type { TransportSocketSchema } from "@envoyproxy/xds-protos/envoy/config/core/v3/base_pb.js";
import { ProxyProtocolConfig_Version as ProxyProtocolVersion } from "@envoyproxy/xds-protos/envoy/config/core/v3/proxy_protocol_pb.js";
import { ProxyProtocolUpstreamTransportSchema } from "@envoyproxy/xds-protos/envoy/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol_pb.js";
import { RawBufferSchema } from "@envoyproxy/xds-protos/envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer_pb.js";
import type { Service, ServicePort } from "@keelson/protos/policy";
import type { Mesh } from "@keelson/protos/proxy";
import { type ClientTls, ClientTls_Mode as Mode } from "@keelson/protos/traffic-policy";
import { serverNameOf } from "../names.ts";
import { meshSocket, ruleSocket } from "../tls/upstream.ts";
import type { PolicyParts } from "../traffic-policy.ts";
import type { ProxyTraits } from "../traits.ts";
import { type Init, typedConfig } from "../wire.ts";
import type { AutomaticNames } from "./http-options.ts";

type Fields = Init<typeof ClusterSchema>;
type TransportSocket = Init<typeof TransportSocketSchema>;

interface TransportInputs {
  readonly service: Service;
  readonly port: ServicePort;
  readonly subset: string;
  readonly policy: PolicyParts;
  readonly proxy: ProxyTraits;
  readonly mesh: Mesh;
  readonly type: DiscoveryType;
  readonly http2: boolean;
}

export const rawBuffer: TransportSocket = {
  name: "envoy.transport_sockets.raw_buffer",
  configType: typedConfig(RawBufferSchema),
};

/** How connections of a cluster are encrypted, or led in. */
export function transportFields(inputs: TransportInputs): Fields {
  const { policy, proxy } = inputs;
  const version = policy.proxyProtocol ?? 0;
  const wrap = (socket: TransportSocket): TransportSocket =>
    version === 0 ? socket : withProxyProtocol(socket, version);
  if (policy.tls === undefined && detectsMutualTls(inputs)) {
    return {
      transportSocketMatches: [
        { name: "tlsMode-istio", match: { tlsMode: "istio" }, transportSocket: wrap(mutual(inputs)) },
        { name: "tlsMode-disabled", match: {}, transportSocket: wrap(rawBuffer) },
      ],
    };
  }
  const socket =
    policy.tls !== undefined
      ? ruled(inputs, policy.tls, proxy)
      : takesMutualTls(inputs)
        ? mutual(inputs)
        : undefined;
  if (socket === undefined && version === 0) return {};
  return { transportSocket: wrap(socket ?? rawBuffer) };
}

/** Only a proxy with an agent has a certificate. */
const isAutomatic = ({ mesh, proxy, service }: TransportInputs): boolean =>
  mesh.enableAutoMtls && proxy.agent && !service.meshExternal;

/** Automatic mutual TLS: each endpoint's metadata says whether it takes it. */
const detectsMutualTls = (inputs: TransportInputs): boolean =>
  isAutomatic(inputs) && inputs.type !== DiscoveryType.ORIGINAL_DST;

/** The endpoints of an original destination have no metadata: they are called so if all of them take it. */
const takesMutualTls = (inputs: TransportInputs): boolean =>
  isAutomatic(inputs) && inputs.type === DiscoveryType.ORIGINAL_DST && inputs.service.mutualTls;

/** As a rule says, and nothing else: where something beside the proxy sees to mutual TLS. */
export function ruleTransport(
  { tls, proxyProtocol }: PolicyParts,
  service: Service,
  proxy: ProxyTraits,
  http2: boolean,
): TransportSocket {
  const isRuled = tls?.mode === Mode.SIMPLE || tls?.mode === Mode.MUTUAL;
  const socket = isRuled ? ruleSocket(proxy, tls, { names: namesOf(tls, service), http2 }) : rawBuffer;
  const version = proxyProtocol ?? 0;
  return version === 0 ? socket : withProxyProtocol(socket, version);
}

/** Names of which the server must show one. */
function namesOf({ subjectAltNames }: ClientTls, service: Service): readonly string[] {
  if (subjectAltNames.length > 0) return subjectAltNames;
  return service.meshExternal ? service.identities : [];
}

function mutual({ proxy, service, port, subset, http2 }: TransportInputs, tls?: ClientTls): TransportSocket {
  const written = tls?.subjectAltNames ?? [];
  return meshSocket(proxy, {
    sni: tls?.sni || serverNameOf(port.port, subset, service.hostname),
    names: written.length > 0 ? written : service.identities,
    http2,
  });
}

function ruled(inputs: TransportInputs, tls: ClientTls, proxy: ProxyTraits): TransportSocket | undefined {
  switch (tls.mode) {
    case Mode.ISTIO_MUTUAL:
      return mutual(inputs, tls);
    case Mode.SIMPLE:
    case Mode.MUTUAL:
      return ruleSocket(proxy, tls, { names: namesOf(tls, inputs.service), http2: inputs.http2 });
    default:
      return undefined;
  }
}

const withProxyProtocol = (transportSocket: TransportSocket, version: number): TransportSocket => ({
  name: "envoy.transport_sockets.upstream_proxy_protocol",
  configType: typedConfig(ProxyProtocolUpstreamTransportSchema, {
    config: { version: version === 1 ? ProxyProtocolVersion.V1 : ProxyProtocolVersion.V2 },
    transportSocket,
  }),
});

/** Where a rule asks for TLS but gives no server name, the request's host is asked for and checked. */
export function automaticNames(tls: ClientTls | undefined): AutomaticNames | undefined {
  if (tls === undefined || (tls.mode !== Mode.SIMPLE && tls.mode !== Mode.MUTUAL) || tls.sni !== "") {
    return undefined;
  }
  const autoSanValidation = tls.subjectAltNames.length === 0 && tls.insecureSkipVerify !== true;
  return { autoSni: true, autoSanValidation };
}
