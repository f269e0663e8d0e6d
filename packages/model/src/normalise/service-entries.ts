import { isIP } from "node:net";
import { Resolution } from "@keelson/protos/policy";
import { parseAddress } from "../address.ts";
import { type Problem, problemOf } from "../config-object.ts";
import type { ServiceEntryObject, WorkloadEntryObject } from "../kinds/index.ts";
import type { ServiceEntryPort } from "../kinds/service-entry.ts";
import type { WorkloadEntrySpec } from "../kinds/workload-entry.ts";
import { compareAddresses, type Endpoint, type Service, type ServicePort } from "../model.ts";
import { sessionsOf } from "./draining.ts";
import { sortEndpoints } from "./endpoints.ts";
import { resolveExportTo, resolveHost } from "./hosts.ts";
import type { Normalised } from "./normalised.ts";
import { protocolOf } from "./protocol.ts";
import { waypointOf } from "./waypoints.ts";
import { entryEndpoints, entryFacts } from "./workload-entries.ts";
import { labelFacts, type PlacedPod, podFacts } from "./workload-facts.ts";
import { podAddresses } from "./workloads.ts";

/** The workloads that a ServiceEntry's selector chooses. */
export interface SelectedWorkloads {
  readonly pods: readonly PlacedPod[];
  readonly entries: readonly WorkloadEntryObject[];
}

const resolutions = {
  NONE: Resolution.PASSTHROUGH,
  STATIC: Resolution.STATIC,
  DNS: Resolution.DNS,
  DNS_ROUND_ROBIN: Resolution.DNS_ROUND_ROBIN,
  DYNAMIC_DNS: Resolution.UNSPECIFIED,
} as const;

/**
 * One service for each host.
 * @param object passed checkServiceEntry
 */
export function normaliseServiceEntry(object: ServiceEntryObject, domain: string): Service[] {
  const { spec } = object.body;
  const { namespace } = object.metadata;
  const ports = spec.ports.map(servicePort).sort((a, b) => a.port - b.port);
  const dialled = dialledAddresses(spec.addresses);
  return spec.hosts.map((host) => ({
    hostname: resolveHost(host, namespace, domain),
    namespace,
    ...dialled,
    ports,
    resolution: resolutions[spec.resolution],
    meshExternal: spec.location === "MESH_EXTERNAL",
    exportedTo: resolveExportTo(spec.exportTo, namespace),
    identities: spec.subjectAltNames,
    aliases: [],
    waypoint: waypointOf(object),
    ...sessionsOf(object),
    object,
  }));
}

/** Endpoints of all ports, sorted. @param hostname of one of the entry's services */
export function serviceEntryEndpoints(
  object: ServiceEntryObject,
  selected: SelectedWorkloads,
  hostname: string,
): Normalised<readonly Endpoint[]> {
  const problems: Problem[] = [];
  const endpoints = looksUpHost(object)
    ? hostEndpoints(object, hostname)
    : [...ownEndpoints(object, problems), ...selectedEndpoints(object, selected, problems)];
  return { value: sortEndpoints(endpoints), problems };
}

function servicePort({ number, name, protocol }: ServiceEntryPort): ServicePort {
  const transport = protocol.toUpperCase() === "UDP" ? "UDP" : "TCP";
  return { port: number, name, transport, protocol: protocolOf({ name: protocol, port: number, transport }) };
}

/** Blocks of one address are that address. */
function dialledAddresses(written: readonly string[]): Pick<Service, "addresses" | "addressBlocks"> {
  const addresses: Uint8Array[] = [];
  const addressBlocks: string[] = [];
  for (const text of written) {
    const [first = "", length] = text.split("/");
    const whole = length === undefined || Number(length) === (isIP(first) === 4 ? 32 : 128);
    const address = whole ? parseAddress(first) : undefined;
    if (address === undefined) addressBlocks.push(text);
    else addresses.push(address);
  }
  return { addresses: addresses.sort(compareAddresses), addressBlocks: addressBlocks.sort() };
}

/** Without endpoints, it is the host itself that DNS is asked for. */
function looksUpHost({ body: { spec } }: ServiceEntryObject): boolean {
  const none = spec.endpoints.length === 0 && spec.workloadSelector === undefined;
  return none && spec.resolution.startsWith("DNS");
}

function hostEndpoints({ body: { spec }, metadata }: ServiceEntryObject, hostname: string): Endpoint[] {
  return spec.ports.map((port) => ({
    address: new Uint8Array(),
    hostname,
    port: port.targetPort ?? port.number,
    portName: port.name,
    transport: servicePort(port).transport,
    weight: 1,
    ...labelFacts(metadata.namespace),
  }));
}

function ownEndpoints(object: ServiceEntryObject, problems: Problem[]): Endpoint[] {
  const { endpoints, ports } = object.body.spec;
  return endpoints.flatMap((entry: WorkloadEntrySpec, i) => {
    const made = entryEndpoints(entry, entryFacts(entry, object.metadata.namespace), ports.map(targetOf));
    if (typeof made !== "string") return made;
    problems.push(problemOf("error", object, ["spec", "endpoints", i, "address"], made));
    return [];
  });
}

const targetOf = (port: ServiceEntryPort) => ({
  name: port.name,
  transport: servicePort(port).transport,
  target: port.targetPort ?? port.number,
});

function selectedEndpoints(
  object: ServiceEntryObject,
  { pods, entries }: SelectedWorkloads,
  problems: Problem[],
): Endpoint[] {
  const ports = object.body.spec.ports.map(targetOf);
  const looksUp = object.body.spec.resolution.startsWith("DNS");
  const ofEntries = entries.flatMap((entry) => {
    const { spec } = entry.body;
    // Names are for those to whom DNS belongs (Istio).
    if (!looksUp && spec.address !== undefined && isIP(spec.address) === 0) return [];
    const made = entryEndpoints(spec, entryFacts(spec, entry.metadata.namespace, entry), ports);
    if (typeof made !== "string") return made;
    problems.push(problemOf("error", entry, ["spec", "address"], made));
    return [];
  });
  const ofPods = pods.flatMap((placed) =>
    podAddresses(placed.pod).flatMap((text) => {
      const address = parseAddress(text);
      if (address === undefined) return [];
      const facts = podFacts(placed);
      return ports.map(({ name, transport, target }) => ({
        address,
        hostname: "",
        port: target,
        portName: name,
        transport,
        weight: 1,
        ...facts,
      }));
    }),
  );
  return [...ofEntries, ...ofPods];
}
