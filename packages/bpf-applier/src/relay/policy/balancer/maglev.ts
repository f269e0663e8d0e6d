import { xxhash64 } from "../xxhash64.ts";
import type { KeyedHosts } from "./hash-ring.ts";
import type { Host } from "./host.ts";

/** A host's own order of all places of the table (section 3.4 of the paper). */
interface Preference {
  readonly host: Host;
  readonly offset: bigint;
  readonly skip: bigint;
  /** Of all hosts' sum: in whole numbers, who chooses when would differ from Envoy's in the last bit. */
  readonly weight: number;
  next: bigint;
  /** The round in which it may choose again. */
  due: number;
}

/**
 * Maglev's table (https://research.google/pubs/pub44824/) as Envoy fills it.
 * @param size prime; the schema of rules sees to that
 */
export function maglev(hosts: readonly Host[], size: number): KeyedHosts {
  const table = maglevTable(hosts, size);
  const all = (1n << 64n) - 1n;
  return {
    find(hash, attempt) {
      const key = attempt === 0 ? hash : hash ^ (all - BigInt(attempt) + 1n);
      return table[Number(key % BigInt(size))];
    },
  };
}

/** Who has which place. @param size as above */
export function maglevTable(hosts: readonly Host[], size: number): readonly (Host | undefined)[] {
  const table: (Host | undefined)[] = Array.from({ length: size });
  const total = hosts.reduce((sum, { endpoint }) => sum + endpoint.weight, 0);
  const preferences = hosts.map((host) => preferenceOf(host, size, total));
  const heaviest = Math.max(...preferences.map(({ weight }) => weight));
  let left = hosts.length === 0 ? 0 : size;
  for (let round = 1; left > 0; round++) {
    for (const preference of preferences) {
      // Who weighs less than the heaviest chooses in fewer rounds.
      if (left === 0 || round * preference.weight < preference.due) continue;
      preference.due += heaviest;
      table[freePlace(table, preference, size)] = preference.host;
      left--;
    }
  }
  return table;
}

function preferenceOf(host: Host, size: number, total: number): Preference {
  return {
    host,
    offset: xxhash64(host.name) % BigInt(size),
    skip: (xxhash64(host.name, 1n) % BigInt(size - 1)) + 1n,
    weight: host.endpoint.weight / total,
    next: 0n,
    due: 0,
  };
}

function freePlace(table: readonly (Host | undefined)[], preference: Preference, size: number): number {
  for (;;) {
    const place = Number((preference.offset + preference.skip * preference.next) % BigInt(size));
    preference.next++;
    if (table[place] === undefined) return place;
  }
}
