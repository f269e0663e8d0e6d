import { xxhash64 } from "../xxhash64.ts";
import type { Host } from "./host.ts";

/** Istio's, where a rule says none. */
export const defaultRingSize = 1024;
/** Envoy's. */
const largestSize = 8_388_608;

/** Finds the host of a key; requests of one key go to one host, and few keys move when hosts come and go. */
export interface KeyedHosts {
  /** @param attempt 0, or how often a host that was found did not suit */
  find(hash: bigint, attempt: number): Host | undefined;
}

/**
 * Ketama's ring as Envoy builds it, hash for hash: relays and Envoys find the same host.
 * @param minimumSize 0: Istio's default, 1024
 */
export function hashRing(hosts: readonly Host[], minimumSize: number): KeyedHosts {
  const points = ringPoints(hosts, minimumSize);
  return {
    find(hash, attempt) {
      const place = lowerBound(points, hash);
      return points[(place + attempt) % points.length]?.host;
    },
  };
}

export interface RingPoint {
  /** 64 bits. */
  readonly hash: bigint;
  readonly host: Host;
}

/** The points of the ring in their order. */
export function ringPoints(hosts: readonly Host[], minimumSize: number): RingPoint[] {
  const points = pointsOf(hosts, Math.min(minimumSize || defaultRingSize, largestSize));
  return points.sort((a, b) => (a.hash < b.hash ? -1 : Number(a.hash > b.hash)));
}

function pointsOf(hosts: readonly Host[], size: number): RingPoint[] {
  const total = hosts.reduce((sum, { endpoint }) => sum + endpoint.weight, 0);
  const least = Math.min(...hosts.map(({ endpoint }) => endpoint.weight)) / total;
  // The one that weighs least gets a whole number of points.
  const scale = Math.min(Math.ceil(least * size) / least, largestSize);
  const points: RingPoint[] = [];
  let wanted = 0;
  for (const host of hosts) {
    wanted += (scale * host.endpoint.weight) / total;
    for (let number = 0; points.length < wanted; number++) {
      points.push({ hash: xxhash64(`${host.name}_${number}`), host });
    }
  }
  return points;
}

/** The first point that is not before the hash; the first of all after the last. */
function lowerBound(points: readonly RingPoint[], hash: bigint): number {
  let low = 0;
  let high = points.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((points[middle]?.hash ?? 0n) < hash) low = middle + 1;
    else high = middle;
  }
  return low === points.length ? 0 : low;
}
