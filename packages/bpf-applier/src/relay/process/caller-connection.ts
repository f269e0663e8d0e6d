import type { Socket } from "node:net";
import type { Family } from "@keelson/model/address";
import type { Endpoint } from "@keelson/protos/policy";
import type { Balancer, Caller, DestinationRef } from "../policy/types.ts";
import type { CallerNetwork } from "./caller-network.ts";
import type { EdgeCounters } from "./counters.ts";
import type { DestinationLinks } from "./destination-links.ts";
import type { HeldConnection } from "./holding/held-connection.ts";
import type { Origin } from "./origin-lookup.ts";
import type { RoutedService } from "./policy-state.ts";
import type { Conversation } from "./switching/conversation.ts";

/** A caller's connection to the relay: whose it is, and what it dialled. */
export interface CallerConnection {
  readonly socket: Socket;
  readonly network: CallerNetwork;
  readonly origin: Origin;
  /** Of the connection's packets. */
  readonly family: Family;
  readonly counters: EdgeCounters;
  /** Undefined: it ends with this process. */
  readonly held: HeldConnection | undefined;
  /** As last known: a service whose rules are gone is served by what held until the caller's next connection. */
  service: RoutedService;
  caller: Caller;
  /** Undefined: programs take none of its requests. */
  conversation?: Conversation;
}

/** What a request needs to know of where it came from. */
export interface RequestContext {
  readonly random: () => number;
  /** Who chooses among a destination's endpoints. */
  balancerOf(destination: DestinationRef): Balancer;
  /** The caller's connections to a destination. */
  linksTo(destination: DestinationRef, balancer: Balancer): DestinationLinks;
  /** An endpoint's answer has begun. */
  onAnswer(endpoint: Endpoint, rawHeaders: readonly string[]): void;
}
