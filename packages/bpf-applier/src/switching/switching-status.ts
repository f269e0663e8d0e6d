import type { ServiceTable } from "../service-table.ts";
import { bytesOfTable, type MatchTable } from "./match-table.ts";
import { bytesOfRing, type Ring } from "./ring.ts";
import { mostRingBytes } from "./ring-room.ts";

/** Which service ports with a relay home have requests that programs take off the way. */
export interface SwitchingStatus {
  readonly ports: number;
  /** Ports that will be among them once their match tables are made. */
  readonly beingMade: number;
  /** Of match tables, which ports may share. */
  readonly tables: number;
  readonly tableBytes: number;
  /** Of consistent hashing, Maglev tables included; destinations may share them. */
  readonly rings: number;
  readonly ringBytes: number;
  /** Ports with routes that are the relay's as a whole. */
  readonly others: readonly PortReason[];
  /** Ports of which some requests are the relay's for want of room. */
  readonly partly: readonly PortReason[];
}

interface PortReason {
  readonly hostname: string;
  readonly port: number;
  readonly why: string;
}

/** The match tables that a service needs. */
export function tablesOf({ ports }: ServiceTable): MatchTable[] {
  return Array.from(ports.values()).flatMap(({ switching }) =>
    switching === undefined || "why" in switching || switching.matching === undefined
      ? []
      : [switching.matching.table],
  );
}

/** Of a service: the ports whose match tables are being made. */
export const portsInWaiting = ({ ports }: ServiceTable): number =>
  Array.from(ports.values()).filter(
    ({ switching }) => switching !== undefined && "matching" in switching && switching.matching === undefined,
  ).length;

/** The rings that a service needs. */
export function ringsOf({ ports }: ServiceTable): readonly Ring[] {
  return Array.from(ports.values()).flatMap(({ switching }) =>
    switching === undefined || "why" in switching ? [] : switching.rings,
  );
}

export function switchingStatus(services: readonly ServiceTable[]): SwitchingStatus {
  const tables = new Map(services.flatMap(tablesOf).map((table) => [table.id, table]));
  const rings = new Map(services.flatMap(ringsOf).map((ring) => [ring.id, ring]));
  const ports = services.flatMap((service) => [...service.ports.values()]);
  return {
    ports: ports.filter(
      ({ switching }) => switching !== undefined && "matching" in switching && switching.matching,
    ).length,
    beingMade: services.reduce((sum, service) => sum + portsInWaiting(service), 0),
    tables: tables.size,
    tableBytes: Array.from(tables.values()).reduce((sum, { size }) => sum + bytesOfTable(size), 0),
    rings: rings.size,
    ringBytes: Array.from(rings.values()).reduce((sum, ring) => sum + bytesOfRing(ring), 0),
    others: ports.flatMap(({ hostname, port, switching }) =>
      switching !== undefined && "why" in switching
        ? [{ hostname, port: port.port, why: switching.why }]
        : [],
    ),
    partly: ports.flatMap(({ hostname, port, switching }) =>
      switching !== undefined && "withoutRoom" in switching && switching.withoutRoom.length > 0
        ? [{ hostname, port: port.port, why: whyPartly(switching.withoutRoom) }]
        : [],
    ),
  };
}

const whyPartly = (numbers: readonly number[]): string =>
  `rings for its routes ${numbers.join(", ")} have no room; those of this node may take ${mostRingBytes / 2 ** 20} MiB together`;
