import type { ServiceTable } from "../service-table.ts";
import { bytesOfTable, type MatchTable } from "./match-table.ts";
import type { Ring } from "./ring.ts";

/** Which service ports with a relay home have requests that programs take off the way. */
export interface SwitchingStatus {
  readonly ports: number;
  /** Ports that will be among them once their match tables are made. */
  readonly beingMade: number;
  /** Of match tables, which ports may share. */
  readonly tables: number;
  readonly tableBytes: number;
  /** Ports with routes that are the relay's as a whole. */
  readonly others: readonly { readonly hostname: string; readonly port: number; readonly why: string }[];
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
  const ports = services.flatMap((service) => [...service.ports.values()]);
  return {
    ports: ports.filter(
      ({ switching }) => switching !== undefined && "matching" in switching && switching.matching,
    ).length,
    beingMade: services.reduce((sum, service) => sum + portsInWaiting(service), 0),
    tables: tables.size,
    tableBytes: Array.from(tables.values()).reduce((sum, { size }) => sum + bytesOfTable(size), 0),
    others: ports.flatMap(({ hostname, port, switching }) =>
      switching !== undefined && "why" in switching
        ? [{ hostname, port: port.port, why: switching.why }]
        : [],
    ),
  };
}
