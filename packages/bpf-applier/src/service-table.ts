import { home, serviceKey, serviceValue, slotKey, slotValue } from "@keelson/bpf";
import { type Family, familyOf, formatEndpoint, mapAddress } from "@keelson/model";
import type { Destination, Endpoint, Service, ServicePort } from "@keelson/protos/policy";
import { ApplicationProtocol, Protocol } from "@keelson/protos/policy";
import { aliasTable } from "./alias-table.ts";
import { identifierOf } from "./identifier.ts";
import type { RelayService } from "./relay/relay.ts";

export interface Entry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** What an identifier in an edge's key stands for. */
export type Named =
  | { readonly kind: "service"; readonly hostname: string; readonly port: number }
  | {
      readonly kind: "endpoint";
      readonly address: string;
      readonly workload: string;
      readonly labels: readonly string[];
    };

/** Everything that the maps hold of one service, and what a relay must know beside it. */
export interface ServiceTable {
  readonly services: readonly Entry[];
  readonly slots: readonly Entry[];
  readonly names: ReadonlyMap<bigint, Named>;
  /** Of TCP, by identifier; none on a node without a relay. */
  readonly ports: ReadonlyMap<bigint, TablePort>;
}

export interface TablePort extends RelayService {
  /** Whether connections go to a relay. */
  readonly isRelayed: boolean;
}

export interface TableOptions {
  /** The node has a relay. */
  readonly hasRelay: boolean;
}

/** One share of a service port's connections; no endpoint: that share is refused. */
interface Share {
  readonly weight: number;
  readonly endpoint?: Endpoint;
}

const ipProtocol = new Map([
  [Protocol.TCP, 6],
  [Protocol.UDP, 17],
]);

/** @throws Error naming the set, if a destination's set is not known. */
export type EndpointSets = (name: string) => readonly Endpoint[];

function sharesOf(destination: Destination, family: Family, endpointSets: EndpointSets): Share[] {
  const endpoints = endpointSets(destination.endpointSet).filter((e) => familyOf(e.address) === family);
  const sum = endpoints.reduce((total, endpoint) => total + endpoint.weight, 0);
  if (sum === 0) return [{ weight: destination.weight }];
  return endpoints
    .filter((endpoint) => endpoint.weight > 0)
    .map((endpoint) => ({ weight: (destination.weight * endpoint.weight) / sum, endpoint }));
}

function endpointIdentifier(endpoint: Endpoint): bigint {
  return identifierOf("endpoint", formatEndpoint(endpoint.address, endpoint.port), endpoint.workload);
}

function slotEntries(slots: bigint, shares: readonly Share[]): Entry[] {
  return aliasTable(shares.map((share) => share.weight)).map(({ threshold, alias }, index) => {
    const endpoint = shares[index]?.endpoint;
    return {
      key: slotKey.encode({ slots, index }),
      value: slotValue.encode({
        endpoint: endpoint === undefined ? 0n : endpointIdentifier(endpoint),
        address: endpoint === undefined ? new Uint8Array(16) : mapAddress(endpoint.address),
        port: endpoint?.port ?? 0,
        alias,
        threshold,
      }),
    };
  });
}

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

function addPort(
  service: Service,
  port: ServicePort,
  endpointSets: EndpointSets,
  { hasRelay }: TableOptions,
  table: MutableTable,
): void {
  const protocol = ipProtocol.get(port.protocol);
  if (protocol === undefined)
    throw new Error(`${service.hostname}:${port.port}: unknown protocol ${port.protocol}`);
  if (port.port < 1 || port.port > 65535)
    throw new Error(`${service.hostname}: port ${port.port} is not 1–65535`);
  const identifier = identifierOf("service", service.hostname, port.port, protocol);
  table.names.set(identifier, { kind: "service", hostname: service.hostname, port: port.port });
  const mayBeRelayed = hasRelay && port.protocol === Protocol.TCP;
  const isRelayed = mayBeRelayed && port.routes.length + port.connectionRoutes.length > 0;
  if (mayBeRelayed) table.ports.set(identifier, { hostname: service.hostname, port, isRelayed });
  // The relay tells of endpoints by their addresses.
  if (isRelayed)
    for (const set of setsOfPort(port))
      nameEndpoints(
        endpointSets(set).map((endpoint) => ({ weight: 0, endpoint })),
        table.names,
      );
  const destinations = port.destinations.filter((destination) => destination.weight > 0);
  for (const family of new Set(service.addresses.map(familyOf))) {
    const shares = destinations.flatMap((destination) => sharesOf(destination, family, endpointSets));
    const reachable = shares.some((share) => share.endpoint !== undefined);
    const slots = identifierOf("slots", service.hostname, port.port, protocol, family);
    const entries = reachable ? slotEntries(slots, shares) : [];
    table.slots.push(...entries);
    nameEndpoints(shares, table.names);
    for (const address of service.addresses.filter((a) => familyOf(a) === family)) {
      table.services.push({
        key: serviceKey.encode({ address: mapAddress(address), port: port.port, protocol }),
        value: serviceValue.encode({
          service: identifier,
          slots,
          slotCount: entries.length,
          home: (isRelayed ? home.relay : home.endpoint).value,
          isHttp: port.applicationProtocol === ApplicationProtocol.HTTP ? 1 : 0,
          isSwitched: 0,
        }),
      });
    }
  }
}

interface MutableTable {
  readonly services: Entry[];
  readonly slots: Entry[];
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
  const table: MutableTable = { services: [], slots: [], names: new Map(), ports: new Map() };
  for (const port of service.ports) addPort(service, port, endpointSets, options, table);
  return table;
}
