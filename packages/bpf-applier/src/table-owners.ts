import type { BankChanges } from "./banks.ts";
import type { ServiceTable } from "./service-table.ts";
import type { Entry } from "./slots.ts";
import type { TableChanges } from "./staged-update.ts";
import { keyText } from "./table-bank.ts";

/** Hostname → the value it wants under one key. */
type Claims = ReadonlyMap<string, Uint8Array>;

/**
 * Turns changes of services into changes of map entries. Two services may claim one address and port for a moment
 * (an address moves between them: what is added comes before what is removed), or for good by mistake: the
 * hostname that sorts first has it, whatever the order in which they came.
 */
export class TableOwners {
  private readonly tables = new Map<string, ServiceTable>();
  private readonly claims = new Map<string, Claims>();

  /** What the maps must change. Nothing is taken over before `commit` with the same changes. */
  plan(changes: TableChanges): Required<BankChanges> {
    const services = new Map<string, Uint8Array | undefined>();
    for (const [key, claims] of this.claimsAfter(changes)) services.set(key, firstClaim(claims));
    return {
      services,
      slots: this.entriesAfter(changes, ({ slots }) => slots),
      switchedServices: this.entriesAfter(changes, ({ switchedServices }) => switchedServices),
      switchedRules: this.entriesAfter(changes, ({ switchedRules }) => switchedRules),
      switchedKeys: this.entriesAfter(changes, ({ switchedKeys }) => switchedKeys),
      switchedDestinations: this.entriesAfter(changes, ({ switchedDestinations }) => switchedDestinations),
    };
  }

  /** Those that the maps hold once the changes are made. */
  *tablesAfter(changes: TableChanges): Iterable<ServiceTable> {
    for (const [hostname, table] of this.tables) if (!changes.has(hostname)) yield table;
    for (const table of changes.values()) if (table !== undefined) yield table;
  }

  commit(changes: TableChanges): void {
    for (const [key, claims] of this.claimsAfter(changes)) {
      if (claims.size === 0) this.claims.delete(key);
      else this.claims.set(key, claims);
    }
    for (const [hostname, table] of changes) {
      if (table === undefined) this.tables.delete(hostname);
      else this.tables.set(hostname, table);
    }
  }

  /** Of those that belong to one service each, so that there is nothing to settle. */
  private entriesAfter(
    changes: TableChanges,
    entriesOf: (table: ServiceTable) => readonly Entry[],
  ): Map<string, Uint8Array | undefined> {
    const after = new Map<string, Uint8Array | undefined>();
    const entries = (table: ServiceTable | undefined): readonly Entry[] =>
      table === undefined ? [] : entriesOf(table);
    for (const [hostname, table] of changes) {
      for (const { key } of entries(this.tables.get(hostname))) after.set(keyText(key), undefined);
      for (const { key, value } of entries(table)) after.set(keyText(key), value);
    }
    return after;
  }

  /** For every key that the changes touch, who claims it afterwards. */
  private claimsAfter(changes: TableChanges): Map<string, Map<string, Uint8Array>> {
    const after = new Map<string, Map<string, Uint8Array>>();
    const claimsOf = (key: string): Map<string, Uint8Array> => {
      const claims = after.get(key) ?? new Map(this.claims.get(key));
      after.set(key, claims);
      return claims;
    };
    for (const [hostname, table] of changes) {
      for (const { key } of this.tables.get(hostname)?.services ?? [])
        claimsOf(keyText(key)).delete(hostname);
      for (const { key, value } of table?.services ?? []) claimsOf(keyText(key)).set(hostname, value);
    }
    return after;
  }
}

function firstClaim(claims: Claims): Uint8Array | undefined {
  const [first] = [...claims.keys()].sort();
  return first === undefined ? undefined : claims.get(first);
}
