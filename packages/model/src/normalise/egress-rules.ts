import { create } from "@bufbuild/protobuf";
import { Resolution } from "@keelson/protos/policy";
import { ClientTls_Mode, HostPolicySchema } from "@keelson/protos/traffic-policy";
import type { EgressRuleObject } from "../kinds/index.ts";
import type { PolicySource, Service } from "../model.ts";
import { protocolOf } from "./protocol.ts";

/**
 * A service outside the mesh, which callers speak HTTP to on every port; on one of protocol HTTPS the proxy adds TLS.
 * @param object passed checkEgressRule
 */
export function normaliseEgressRule(object: EgressRuleObject): Service {
  const { destination, ports } = object.body.spec;
  return {
    hostname: destination.service ?? "",
    namespace: object.metadata.namespace,
    addresses: [],
    addressBlocks: [],
    waypoint: "",
    ports: ports
      .map(({ port, protocol }) => ({
        port,
        // As Pilot 0.2 names it.
        name: `external-${protocol.toUpperCase()}-${port}`,
        transport: "TCP" as const,
        protocol: isHttps(protocol)
          ? ("http" as const)
          : protocolOf({ name: protocol, port, transport: "TCP" }),
      }))
      .sort((a, b) => a.port - b.port),
    resolution: Resolution.PASSTHROUGH,
    meshExternal: true,
    exportedTo: [],
    identities: [],
    aliases: [],
    object,
  };
}

const isHttps = (protocol: string): boolean => protocol.toUpperCase() === "HTTPS";

/** TLS for the ports of protocol HTTPS. @returns undefined if there are none */
export function egressPolicy(object: EgressRuleObject): PolicySource | undefined {
  const { destination, ports } = object.body.spec;
  const encrypted = ports.filter(({ protocol }) => isHttps(protocol));
  if (encrypted.length === 0) return undefined;
  const { name, namespace } = object.metadata;
  // Pilot 0.2 has the server's certificate verified by nobody.
  const tls = { mode: ClientTls_Mode.SIMPLE, insecureSkipVerify: true };
  const policy = create(HostPolicySchema, {
    name: `EgressRule/${namespace}/${name}`,
    namespace,
    hostname: destination.service ?? "",
    portPolicies: Object.fromEntries(encrypted.map(({ port }) => [port, { tls }])),
  });
  return { policy, object };
}
