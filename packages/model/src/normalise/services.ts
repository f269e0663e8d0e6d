import { Resolution } from "@keelson/protos/policy";
import { parseAddress } from "../address.ts";
import { type Problem, problemOf } from "../config-object.ts";
import type { ServiceObject } from "../kinds/index.ts";
import { compareAddresses, type Service, type ServicePort } from "../model.ts";
import type { Normalised } from "./normalised.ts";
import { protocolOf } from "./protocol.ts";

/** "reviews.default.svc.cluster.local" */
export const serviceHostname = (name: string, namespace: string, domain: string): string =>
  `${name}.${namespace}.svc.${domain}`;

/** @returns undefined for services that no one dials by a virtual address or a port: ExternalName. */
export function normaliseService(object: ServiceObject, domain: string): Normalised<Service | undefined> {
  const { spec } = object.body;
  if (spec.type === "ExternalName") return { value: undefined, problems: [] };
  const problems: Problem[] = [];
  const addresses = addressesOf(object, problems);
  const ports = portsOf(object, problems);
  const { name, namespace } = object.metadata;
  return {
    value: {
      hostname: serviceHostname(name, namespace, domain),
      namespace,
      addresses,
      ports,
      resolution: isHeadless(object) ? Resolution.PASSTHROUGH : Resolution.STATIC,
      meshExternal: false,
      exportedTo: [],
      identities: [],
      aliases: [],
      object,
    },
    problems,
  };
}

const isHeadless = ({ body: { spec } }: ServiceObject): boolean =>
  spec.clusterIP === "None" || (spec.clusterIPs ?? []).includes("None");

function addressesOf(object: ServiceObject, problems: Problem[]): Uint8Array[] {
  const { clusterIP, clusterIPs } = object.body.spec;
  const written = clusterIPs?.length ? clusterIPs : clusterIP === undefined ? [] : [clusterIP];
  const addresses = written.flatMap((text, i) => {
    if (text === "None" || text === "") return [];
    const address = parseAddress(text);
    if (address !== undefined) return [address];
    const path = written !== clusterIPs ? ["spec", "clusterIP"] : ["spec", "clusterIPs", i];
    problems.push(problemOf("error", object, path, `"${text}" is no IP address, and is left out`));
    return [];
  });
  return addresses.sort(compareAddresses);
}

function portsOf(object: ServiceObject, problems: Problem[]): ServicePort[] {
  const ports = new Map<string, ServicePort>();
  object.body.spec.ports.forEach(({ name, port, protocol: transport, appProtocol }, i) => {
    const at = ["spec", "ports", i];
    if (transport === "SCTP") {
      problems.push(
        problemOf("warning", object, [...at, "protocol"], "SCTP is not routed; the port is left alone"),
      );
      return;
    }
    const key = `${port}/${transport}`;
    if (ports.has(key)) {
      problems.push(problemOf("error", object, at, `port ${key} stands twice; the first one counts`));
      return;
    }
    ports.set(key, { port, name, transport, protocol: protocolOf({ name, port, transport, appProtocol }) });
  });
  return [...ports.values()].sort((a, b) => a.port - b.port || (a.transport < b.transport ? -1 : 1));
}
