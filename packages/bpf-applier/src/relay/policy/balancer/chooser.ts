import { type LoadBalancer, LoadBalancer_Simple as Simple } from "@keelson/protos/traffic-policy";
import { hashRing, type KeyedHosts } from "./hash-ring.ts";
import type { Host } from "./host.ts";
import { maglev } from "./maglev.ts";
import { Schedule } from "./schedule.ts";

/** How one of some hosts is chosen. */
export type Chooser = (question: ChooserQuestion) => Host | undefined;

export interface ChooserQuestion {
  readonly hash: bigint | undefined;
  /** 0, or how often a host that was chosen did not suit. */
  readonly attempt: number;
  readonly random: () => number;
}

/** Whose turn it is; kept when hosts change. */
export interface Turn {
  next: number;
}

/**
 * As the balancers of Envoy that our xDS names (`cluster/load-balancer.ts` of `@keelson/xds`): least request unless a rule
 * says otherwise; random does not look at weights.
 * @param hosts at least one
 */
export function chooserOf(rule: LoadBalancer | undefined, hosts: readonly Host[], turn: Turn): Chooser {
  if (rule?.consistentHash !== undefined) {
    const { maglevTableSize, minimumRingSize } = rule.consistentHash;
    return keyed(
      maglevTableSize === 0n
        ? hashRing(hosts, Number(minimumRingSize))
        : maglev(hosts, Number(maglevTableSize)),
    );
  }
  const isEven = hosts.every(({ endpoint }) => endpoint.weight === hosts[0]?.endpoint.weight);
  switch (rule?.simple) {
    case Simple.RANDOM:
      return ({ random }) => drawn(hosts, random);
    case Simple.ROUND_ROBIN:
      return isEven
        ? () => hosts[turn.next++ % hosts.length]
        : scheduled(hosts, ({ endpoint }) => endpoint.weight);
    default:
      return isEven
        ? ({ random }) => lessBusy(drawn(hosts, random), drawn(hosts, random))
        : scheduled(hosts, ({ endpoint, active }) => endpoint.weight / (active + 1));
  }
}

const drawn = (hosts: readonly Host[], random: () => number): Host | undefined =>
  hosts[Math.floor(random() * hosts.length)];

/** The power of two choices. */
const lessBusy = (one: Host | undefined, other: Host | undefined): Host | undefined =>
  one !== undefined && other !== undefined && other.active < one.active ? other : one;

function scheduled(hosts: readonly Host[], weightOf: (host: Host) => number): Chooser {
  const schedule = new Schedule(hosts, weightOf);
  return () => schedule.next();
}

/** A request without a key goes anywhere. */
const keyed =
  (hosts: KeyedHosts): Chooser =>
  ({ hash, attempt, random }) =>
    hosts.find(hash ?? randomKey(random), attempt);

const half = 0x1_0000_0000;
const randomKey = (random: () => number): bigint =>
  (BigInt(Math.floor(random() * half)) << 32n) | BigInt(Math.floor(random() * half));
