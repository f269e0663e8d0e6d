import { formatAddress } from "@keelson/model";
import { endpointSetName, type PolicyIr } from "@keelson/protos";
import {
  type Endpoint,
  type ExternalName,
  Protocol,
  Resolution,
  type Service,
  type ServicePort,
  type Workload,
} from "@keelson/protos/policy";
import { type V1Protocol, v1Protocol } from "./protocols.ts";
import type { Labels, ServiceKey } from "./service-key.ts";

export interface V1Port {
  readonly name: string;
  readonly port: number;
  readonly protocol: V1Protocol;
}

/**
 * - mesh: its endpoints are asked for by key
 * - headless: as mesh, but connections go where the caller dials
 * - externalName: reached through the egress proxy
 * - outside: of a ServiceEntry with endpoints outside the mesh
 */
export type ServiceKind = "mesh" | "headless" | "externalName" | "outside";

export interface V1Service {
  readonly hostname: string;
  readonly kind: ServiceKind;
  /** What callers dial; empty: none. Pilot knew one address for each service. */
  readonly address: string;
  /** Of an externalName: where it leads. */
  readonly target: string;
  readonly ports: readonly V1Port[];
  readonly identities: readonly string[];
  readonly exportedTo: readonly string[];
}

/** One address behind one port of a service. */
export interface Instance {
  readonly service: V1Service;
  readonly port: V1Port;
  /** Empty where `hostname` is to be looked up. */
  readonly address: string;
  readonly hostname: string;
  /** What it listens on. */
  readonly targetPort: number;
  readonly labels: Labels;
  /** "region/zone", or empty. */
  readonly zone: string;
}

/** Services and their endpoints as Pilot's registries told them. Made anew for each policy IR. */
export class Directory {
  /** Sorted by hostname. */
  readonly services: readonly V1Service[];
  private readonly ir: PolicyIr;
  private readonly byHostname: ReadonlyMap<string, V1Service>;
  private readonly workloadLabels = new Map<string, Labels>();
  private instancesByAddress: ReadonlyMap<string, readonly Instance[]> | undefined;
  private workloadsByAddress: ReadonlyMap<string, Workload> | undefined;

  constructor(ir: PolicyIr) {
    this.ir = ir;
    const services = [...ir.services.values()].flatMap((service) => v1Service(service) ?? []);
    const names = [...ir.externalNames.values()].map(externalName);
    const byHostname = new Map([...names, ...services].map((service) => [service.hostname, service]));
    this.services = [...byHostname.values()].sort((a, b) => (a.hostname < b.hostname ? -1 : 1));
    this.byHostname = byHostname;
  }

  get(hostname: string): V1Service | undefined {
    return this.byHostname.get(hostname);
  }

  /** Sorted by address, then port. */
  instances(service: V1Service, port: V1Port): Instance[] {
    const udp = port.protocol === "UDP";
    const name = endpointSetName({ hostname: service.hostname, port: port.port, udp, labels: {} });
    const endpoints = this.ir.endpointSets.get(name)?.endpoints ?? [];
    return endpoints.map((endpoint) => this.instance(service, port, endpoint));
  }

  /** The instances that a key asks for; none of a service that is not in the mesh. */
  find({ hostname, portNames, labels }: ServiceKey): Instance[] {
    const service = this.get(hostname);
    if (service === undefined || !isInMesh(service)) return [];
    const wanted = new Set(portNames);
    return service.ports
      .filter(({ name }) => wanted.has(name))
      .flatMap((port) => this.instances(service, port))
      .filter((instance) => instance.address !== "" && hasSome(instance.labels, labels));
  }

  /** What an address serves, sorted by hostname, then by the service's port. */
  at(address: string): readonly Instance[] {
    this.instancesByAddress ??= Map.groupBy(
      this.services
        .filter(isInMesh)
        .flatMap((service) => service.ports.flatMap((port) => this.instances(service, port))),
      (instance) => instance.address,
    );
    return address === "" ? [] : (this.instancesByAddress.get(address) ?? []);
  }

  workloadAt(address: string): Workload | undefined {
    this.workloadsByAddress ??= new Map(
      [...this.ir.workloads.values()].flatMap((workload) =>
        workload.addresses.map((own) => [formatAddress(own), workload]),
      ),
    );
    return this.workloadsByAddress.get(address);
  }

  private instance(service: V1Service, port: V1Port, endpoint: Endpoint): Instance {
    return {
      service,
      port,
      address: endpoint.address.length === 0 ? "" : formatAddress(endpoint.address),
      hostname: endpoint.hostname,
      targetPort: endpoint.port,
      labels: this.labelsOf(endpoint),
      zone: endpoint.locality.split("/").slice(0, 2).join("/"),
    };
  }

  /** All labels are in the workload; an endpoint without one has those that it shows. */
  private labelsOf({ workload: name, labels: shown }: Endpoint): Labels {
    const workload = this.ir.workloads.get(name);
    if (workload === undefined) return Object.fromEntries(shown.map((pair) => splitPair(pair)));
    const known = this.workloadLabels.get(name);
    if (known !== undefined) return known;
    const labels = labelsOfWorkload(workload);
    this.workloadLabels.set(name, labels);
    return labels;
  }
}

export const isInMesh = ({ kind }: V1Service): boolean => kind === "mesh" || kind === "headless";

export const labelsOfWorkload = ({ labels }: Workload): Labels =>
  Object.fromEntries(labels.map(({ key, value }) => [key, value]));

/** Whether all of `wanted` are among `labels`. As in Pilot, an empty value is as good as none. */
export const hasLabels = (labels: Labels, wanted: Labels): boolean =>
  Object.entries(wanted).every(([key, value]) => (labels[key] ?? "") === value);

const hasSome = (labels: Labels, sets: readonly Labels[]): boolean =>
  sets.length === 0 || sets.some((wanted) => hasLabels(labels, wanted));

function splitPair(pair: string): [string, string] {
  const at = pair.indexOf("=");
  return [pair.slice(0, at), pair.slice(at + 1)];
}

const v1Port = ({ name, port, protocol, applicationProtocol }: ServicePort): V1Port => ({
  name,
  port,
  protocol: v1Protocol(applicationProtocol, protocol === Protocol.UDP),
});

/** @returns undefined for hosts outside the mesh that have no endpoints: those are EgressRules' business. */
function v1Service(service: Service): V1Service | undefined {
  const { hostname, addresses, identities, exportedTo, meshExternal, resolution } = service;
  const passesThrough = resolution === Resolution.PASSTHROUGH;
  if (meshExternal && passesThrough) return undefined;
  const [address] = addresses;
  return {
    hostname,
    kind: meshExternal ? "outside" : passesThrough ? "headless" : "mesh",
    address: address === undefined ? "" : formatAddress(address),
    target: "",
    ports: service.ports.map(v1Port),
    identities: identities.map(spiffeId),
    exportedTo,
  };
}

/** Istio 0.2 wrote identities of other kinds without the scheme in its annotation. */
const spiffeId = (identity: string): string => (identity.includes("://") ? identity : `spiffe://${identity}`);

const externalName = ({ hostname, target, ports }: ExternalName): V1Service => ({
  hostname,
  kind: "externalName",
  address: "",
  target,
  ports: ports.map(v1Port),
  identities: [],
  exportedTo: [],
});
