import { balancing, switchedDestinationKey, switchedDestinationValue } from "@keelson/bpf";
import type { Family } from "@keelson/model";
import type { Destination, Endpoint } from "@keelson/protos/policy";
import { type LoadBalancer, LoadBalancer_Simple } from "@keelson/protos/traffic-policy";
import { identifierOf } from "../identifier.ts";
import { Schedule } from "../relay/policy/balancer/schedule.ts";
import { type Entry, slotEntries, spread, turnEntries } from "../slots.ts";
import { pointsIn, type Ring, ringOf } from "./ring.ts";
import type { RingSource } from "./ring-room.ts";

/** A destination of a rule, with those of its endpoints that callers of a family get. */
export interface FamilyDestination {
  /** Equal for destinations that share a balancer (`DestinationRef.key`). */
  readonly key: string;
  readonly destination: Destination;
  readonly endpoints: readonly Endpoint[];
}

/** What the maps hold of a destination whose endpoints are more than drawn. */
export interface BalancedDestination {
  readonly id: bigint;
  readonly entry: Entry;
  readonly slots: readonly Entry[];
  /** Undefined: it is not by a key that its endpoints are found. */
  readonly ring: Ring | undefined;
}

type Balancing = keyof typeof balancing;

const ruleOf = ({ destination }: FamilyDestination): LoadBalancer | undefined =>
  destination.policy?.loadBalancer;

/** As the relay's (`chooserOf`), where there is no key: least request unless a rule says otherwise. */
function balancingOf(rule: LoadBalancer | undefined): Balancing {
  if (rule?.simple === LoadBalancer_Simple.RANDOM) return "random";
  return rule?.simple === LoadBalancer_Simple.ROUND_ROBIN ? "roundRobin" : "leastRequest";
}

/** Whether a draw among all endpoints is all that a request asks for. */
export function isDrawn(one: FamilyDestination): boolean {
  const hash = ruleOf(one)?.consistentHash;
  // A request gets its cookie, also if there is no choice.
  if (hash?.key.case === "httpCookie" && hash.key.value.ttlMs !== undefined) return false;
  return one.endpoints.length === 1 || (hash === undefined && balancingOf(ruleOf(one)) === "random");
}

/**
 * @param service identifier of the service port, which has balancers of its own
 * @returns undefined: its ring takes more room than there is
 */
export function balancedDestination(
  service: bigint,
  family: Family,
  one: FamilyDestination,
  ringFor: RingSource = ringOf,
): BalancedDestination | undefined {
  const id = identifierOf("destination", String(service), one.key, family);
  const found = choiceOf(identifierOf("destination slots", String(id)), one, ringFor);
  if (found === undefined) return undefined;
  const { kind, slots, count, entries, ring } = found;
  return {
    id,
    entry: {
      key: switchedDestinationKey.encode({ destination: id }),
      value: switchedDestinationValue.encode({ slots, count, balancing: balancing[kind].value }),
    },
    slots: entries,
    ring,
  };
}

interface Choice {
  readonly kind: Balancing;
  readonly slots: bigint;
  readonly count: number;
  readonly entries: readonly Entry[];
  readonly ring?: Ring;
}

function choiceOf(slots: bigint, one: FamilyDestination, ringFor: RingSource): Choice | undefined {
  const { endpoints } = one;
  const rule = ruleOf(one);
  if (rule?.consistentHash !== undefined) {
    const ring = ringFor(rule.consistentHash, endpoints);
    return ring && { kind: ring.kind, slots: ring.id, count: pointsIn(ring), entries: [], ring };
  }
  const kind = balancingOf(rule);
  const order = kind === "roundRobin" ? turnsOf(endpoints) : undefined;
  if (order !== undefined) return { kind, slots, count: order.length, entries: turnEntries(slots, order) };
  const weightOf = kind === "random" ? () => 1 : ({ weight }: Endpoint) => weight;
  const entries = slotEntries(slots, spread(1, endpoints, weightOf));
  return { kind: kind === "leastRequest" ? kind : "random", slots, count: entries.length, entries };
}

/** Room for the turns of one destination. */
export const mostTurns = 4096;

/** In which order endpoints have their turns until all have had as many as they weigh; undefined: those are too many. */
function turnsOf(endpoints: readonly Endpoint[]): Endpoint[] | undefined {
  const some = endpoints.filter(({ weight }) => weight > 0);
  const divisor = some.reduce((common, { weight }) => greatestDivisor(common, weight), 0);
  const turns = some.reduce((sum, { weight }) => sum + weight / divisor, 0);
  if (turns > mostTurns) return undefined;
  const schedule = new Schedule(some, ({ weight }) => weight);
  return Array.from({ length: turns }, () => schedule.next()).filter((one) => one !== undefined);
}

const greatestDivisor = (a: number, b: number): number => (b === 0 ? a : greatestDivisor(b, a % b));
