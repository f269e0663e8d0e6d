import type { Family } from "@keelson/model/address";
import type { EndpointSet } from "@keelson/protos/policy";
import type { Balancer, DestinationRef } from "../types.ts";
import { DestinationBalancer } from "./destination-balancer.ts";

/** Turns begin anywhere below this. */
const turns = 1_000_000;

type ByFamily = Record<Family, DestinationBalancer>;

interface Known {
  readonly endpointSet: string;
  readonly balancers: ByFamily;
}

/** The balancers of a relay: one for each destination and address family. */
export class Balancers {
  private readonly random: () => number;
  private readonly known = new Map<string, Known>();
  /** What was asked for since the last policy, which is most of what is asked for. */
  private recent = new WeakMap<DestinationRef, ByFamily>();
  private sets: ReadonlyMap<string, EndpointSet> = new Map();

  /** @param random 0 up to 1, as Math.random */
  constructor(random: () => number) {
    this.random = random;
  }

  /** A new policy. Balancers of sets that are gone are forgotten, others learn of it when they are next asked for. */
  update(sets: ReadonlyMap<string, EndpointSet>): void {
    this.sets = sets;
    this.recent = new WeakMap();
    for (const [key, { endpointSet }] of this.known) if (!sets.has(endpointSet)) this.known.delete(key);
  }

  /** @param family which the caller dialled; see {@link DestinationBalancer} */
  of(destination: DestinationRef, family: Family): Balancer {
    const recent = this.recent.get(destination) ?? this.upToDate(destination);
    return recent[family];
  }

  private upToDate(destination: DestinationRef): ByFamily {
    const { key, endpointSet, policy } = destination;
    const balancers = this.known.get(key)?.balancers ?? {
      IPv4: new DestinationBalancer("IPv4", this.firstTurn()),
      IPv6: new DestinationBalancer("IPv6", this.firstTurn()),
    };
    const set = this.sets.get(endpointSet);
    for (const balancer of Object.values(balancers)) balancer.update(set, policy);
    this.known.set(key, { endpointSet, balancers });
    this.recent.set(destination, balancers);
    return balancers;
  }

  private firstTurn(): number {
    return Math.floor(this.random() * turns);
  }
}
