import { home, serviceKey, serviceValue } from "@keelson/bpf";
import { type Family, familyOf, formatEndpoint, mapAddress } from "@keelson/model";
import type { Service, ServicePort } from "@keelson/protos/policy";
import { ApplicationProtocol, Protocol } from "@keelson/protos/policy";
import { identifierOf } from "./identifier.ts";
import type { RelayService } from "./relay/relay.ts";
import {
  type EndpointSets,
  type Entry,
  endpointIdentifier,
  isReachable,
  type Share,
  sharesOf,
  slotEntries,
} from "./slots.ts";
import {
  type SwitchedPort,
  type SwitchingRoom,
  switchedPort,
  type UnswitchedPort,
} from "./switching/switched-port.ts";

/** What an identifier in an edge's key stands for. */
export type Named =
  | { readonly kind: "service"; readonly hostname: string; readonly port: number }
  | {
      readonly kind: "endpoint";
      readonly address: string;
      readonly workload: string;
      readonly labels: readonly string[];
    }
  | { readonly kind: "route"; readonly name: string };

/** Everything that the maps hold of one service, and what a relay must know beside it. */
export interface ServiceTable {
  readonly services: readonly Entry[];
  readonly slots: readonly Entry[];
  readonly switchedServices: readonly Entry[];
  readonly switchedRules: readonly Entry[];
  readonly switchedDestinations: readonly Entry[];
  readonly switchedKeys: readonly Entry[];
  readonly names: ReadonlyMap<bigint, Named>;
  /** Of TCP, by identifier; none on a node without a relay. */
  readonly ports: ReadonlyMap<bigint, TablePort>;
}

export interface TablePort extends RelayService {
  /** Whether connections go to a relay. */
  readonly isRelayed: boolean;
  /** Undefined: they do not, or no program of the node takes requests. */
  readonly switching: SwitchedPort | UnswitchedPort | undefined;
}

export interface TableOptions {
  /** The node has a relay. */
  readonly hasRelay: boolean;
  /** For what programs find their way by; undefined: they take no requests. */
  readonly room?: SwitchingRoom;
}

const ipProtocol = new Map([
  [Protocol.TCP, 6],
  [Protocol.UDP, 17],
]);

function nameEndpoints(shares: readonly Share[], names: Map<bigint, Named>): void {
  for (const { endpoint } of shares) {
    if (endpoint === undefined) continue;
    names.set(endpointIdentifier(endpoint), {
      kind: "endpoint",
      address: formatEndpoint(endpoint.address, endpoint.port),
      workload: endpoint.workload,
      labels: endpoint.labels,
    });
  }
}

/** Sets of endpoints that a port refers to. */
export function setsOfPort(port: ServicePort): string[] {
  const routes = [
    ...port.routes.flatMap(({ destinations, mirrors }) => [...destinations, ...mirrors]),
    ...port.connectionRoutes.flatMap(({ destinations }) => destinations),
  ];
  return [...port.destinations, ...routes].map(({ endpointSet }) => endpointSet);
}

/** A port with its place among others. */
interface PortPlace {
  readonly service: Service;
  readonly port: ServicePort;
  /** IPPROTO_TCP or IPPROTO_UDP. */
  readonly protocol: number;
  readonly identifier: bigint;
}

/** @throws Error for what no port can be */
function placeOf(service: Service, port: ServicePort): PortPlace {
  const { hostname } = service;
  const protocol = ipProtocol.get(port.protocol);
  if (protocol === undefined) throw new Error(`${hostname}:${port.port}: unknown protocol ${port.protocol}`);
  if (port.port < 1 || port.port > 65535) throw new Error(`${hostname}: port ${port.port} is not 1–65535`);
  return { service, port, protocol, identifier: identifierOf("service", hostname, port.port, protocol) };
}

/** Whose home the relay is; undefined: the relay is not told of the port. */
function tablePort(
  { service, port, identifier }: PortPlace,
  endpointSets: EndpointSets,
  { hasRelay, room }: TableOptions,
): TablePort | undefined {
  if (!hasRelay || port.protocol !== Protocol.TCP) return undefined;
  const isRelayed = port.routes.length + port.connectionRoutes.length > 0;
  const families = familiesOf(service);
  const switching =
    room === undefined || port.routes.length === 0
      ? undefined
      : switchedPort({ identifier, port, families, endpointSets }, room);
  const switchedRules = numbersOf(switching);
  return { hostname: service.hostname, port, isRelayed, switching, switchedRules };
}

const familiesOf = ({ addresses }: Service): Family[] => [...new Set(addresses.map(familyOf))];

const none: readonly number[] = [];
const numbersOf = (switching: TablePort["switching"]): readonly number[] =>
  switching !== undefined && "numbers" in switching ? switching.numbers : none;

function addPort(
  place: PortPlace,
  endpointSets: EndpointSets,
  options: TableOptions,
  table: MutableTable,
): void {
  const { service, port, protocol, identifier } = place;
  table.names.set(identifier, { kind: "service", hostname: service.hostname, port: port.port });
  const known = tablePort(place, endpointSets, options);
  if (known !== undefined) table.ports.set(identifier, known);
  const isRelayed = known?.isRelayed === true;
  // The relay tells of endpoints by their addresses.
  if (isRelayed)
    for (const set of setsOfPort(port))
      nameEndpoints(
        endpointSets(set).map((endpoint) => ({ weight: 0, endpoint })),
        table.names,
      );
  const isSwitched = addSwitched(known?.switching, table);
  const destinations = port.destinations.filter((destination) => destination.weight > 0);
  for (const family of familiesOf(service)) {
    const shares = destinations.flatMap((destination) => sharesOf(destination, family, endpointSets));
    const slots = identifierOf("slots", service.hostname, port.port, protocol, family);
    const entries = isReachable(shares) ? slotEntries(slots, shares) : [];
    table.slots.push(...entries);
    nameEndpoints(shares, table.names);
    const value = serviceValue.encode({
      service: identifier,
      slots,
      slotCount: entries.length,
      home: (isRelayed ? home.relay : home.endpoint).value,
      isHttp: port.applicationProtocol === ApplicationProtocol.HTTP ? 1 : 0,
      isSwitched: isSwitched ? 1 : 0,
    });
    for (const address of service.addresses.filter((a) => familyOf(a) === family)) {
      const key = serviceKey.encode({ address: mapAddress(address), port: port.port, protocol });
      table.services.push({ key, value });
    }
  }
}

/** @returns whether programs take requests of the port, or will once its match table is made */
function addSwitched(switching: TablePort["switching"], table: MutableTable): boolean {
  if (switching === undefined || "why" in switching) return false;
  if (switching.matching !== undefined) table.switchedServices.push(switching.matching.service);
  table.switchedRules.push(...switching.rules);
  for (const [identifier, name] of switching.routeNames) table.names.set(identifier, { kind: "route", name });
  table.switchedDestinations.push(...switching.destinations);
  table.switchedKeys.push(...switching.keys);
  table.slots.push(...switching.slots);
  return true;
}

interface MutableTable {
  readonly services: Entry[];
  readonly slots: Entry[];
  readonly switchedServices: Entry[];
  readonly switchedRules: Entry[];
  readonly switchedDestinations: Entry[];
  readonly switchedKeys: Entry[];
  readonly names: Map<bigint, Named>;
  readonly ports: Map<bigint, TablePort>;
}

/**
 * What the maps must hold for one service: pure, equal input gives equal bytes.
 * @throws Error naming the service and the field, if the IR is malformed or refers to an unknown endpoint set.
 */
export function serviceTable(
  service: Service,
  endpointSets: EndpointSets,
  options: TableOptions = { hasRelay: false },
): ServiceTable {
  const table: MutableTable = {
    services: [],
    slots: [],
    switchedServices: [],
    switchedRules: [],
    switchedDestinations: [],
    switchedKeys: [],
    names: new Map(),
    ports: new Map(),
  };
  for (const port of service.ports) addPort(placeOf(service, port), endpointSets, options, table);
  return table;
}
