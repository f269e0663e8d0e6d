import { balancing, switchedDestinationKey, switchedDestinationValue } from "@keelson/bpf";
import type { Family } from "@keelson/model";
import type { Destination, Endpoint } from "@keelson/protos/policy";
import { type LoadBalancer, LoadBalancer_Simple } from "@keelson/protos/traffic-policy";
import { identifierOf } from "../identifier.ts";
import { Schedule } from "../relay/policy/balancer/schedule.ts";
import { type Entry, slotEntries, spread, turnEntries } from "../slots.ts";

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
}

type Balancing = "random" | "roundRobin" | "leastRequest";

/** As the relay's (`chooserOf`): least request unless a rule says otherwise. */
function balancingOf(rule: LoadBalancer | undefined): Balancing {
  if (rule?.simple === LoadBalancer_Simple.RANDOM) return "random";
  return rule?.simple === LoadBalancer_Simple.ROUND_ROBIN ? "roundRobin" : "leastRequest";
}

/** Whether a draw among all endpoints is right for the destination, whatever the rule says. */
export const isDrawn = ({ destination, endpoints }: FamilyDestination): boolean =>
  endpoints.length < 2 || balancingOf(destination.policy?.loadBalancer) === "random";

/** @param service identifier of the service port, which has balancers of its own */
export function balancedDestination(
  service: bigint,
  family: Family,
  { key, destination, endpoints }: FamilyDestination,
): BalancedDestination {
  const id = identifierOf("destination", String(service), key, family);
  const slots = identifierOf("destination slots", String(id));
  const { kind, entries } = choice(slots, endpoints, balancingOf(destination.policy?.loadBalancer));
  return {
    id,
    entry: {
      key: switchedDestinationKey.encode({ destination: id }),
      value: switchedDestinationValue.encode({
        slots,
        count: entries.length,
        balancing: balancing[kind].value,
      }),
    },
    slots: entries,
  };
}

interface SlotChoice {
  readonly kind: Balancing;
  readonly entries: readonly Entry[];
}

function choice(slots: bigint, endpoints: readonly Endpoint[], kind: Balancing): SlotChoice {
  const order = kind === "roundRobin" ? turnsOf(endpoints) : undefined;
  if (order !== undefined) return { kind, entries: turnEntries(slots, order) };
  const weightOf = kind === "random" ? () => 1 : ({ weight }: Endpoint) => weight;
  return {
    kind: kind === "leastRequest" ? kind : "random",
    entries: slotEntries(slots, spread(1, endpoints, weightOf)),
  };
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
