import { Resolution } from "@keelson/protos/policy";
import { parseAddress } from "../address.ts";
import { type Problem, problemOf } from "../config-object.ts";
import { spiffeId } from "../identity.ts";
import type { ServiceObject } from "../kinds/index.ts";
import { accountsAnnotation, canonicalAccountsAnnotation, exportToAnnotation } from "../metadata-read.ts";
import { compareAddresses, type Service, type ServicePort } from "../model.ts";
import { sessionsOf } from "./draining.ts";
import { resolveExportTo, serviceHostname } from "./hosts.ts";
import type { Normalised } from "./normalised.ts";
import { protocolOf } from "./protocol.ts";
import { waypointOf } from "./waypoints.ts";

const list = (text = ""): string[] =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

/** SPIFFE ids that the annotations of a service speak of, sorted. */
function identitiesOf(
  annotations: Readonly<Record<string, string>>,
  namespace: string,
  trustDomain: string,
): string[] {
  const accounts = list(annotations[accountsAnnotation]).map((name) =>
    spiffeId(trustDomain, namespace, name),
  );
  return [...new Set([...accounts, ...list(annotations[canonicalAccountsAnnotation])])].sort();
}

/** @returns undefined for services of type ExternalName, which are another name for something else */
export function normaliseService(
  object: ServiceObject,
  domain: string,
  trustDomain: string,
): Normalised<Service | undefined> {
  const { spec } = object.body;
  if (spec.type === "ExternalName") return { value: undefined, problems: [] };
  const problems: Problem[] = [];
  const addresses = addressesOf(object, problems);
  const ports = portsOf(object, problems);
  const { name, namespace, annotations } = object.metadata;
  return {
    value: {
      hostname: serviceHostname(name, namespace, domain),
      namespace,
      addresses,
      ports,
      resolution: isHeadless(object) ? Resolution.PASSTHROUGH : Resolution.STATIC,
      meshExternal: false,
      exportedTo: resolveExportTo(list(annotations[exportToAnnotation]), namespace),
      identities: identitiesOf(annotations, namespace, trustDomain),
      aliases: [],
      addressBlocks: [],
      waypoint: waypointOf(object),
      ...(Object.keys(spec.selector ?? {}).length > 0 && { selector: spec.selector ?? {} }),
      ...sessionsOf(object),
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

/** @param problems takes what is said of ports that are left out */
export function portsOf(object: ServiceObject, problems: Problem[]): ServicePort[] {
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
