import type { Endpoint } from "@keelson/protos/policy";
import type { Balancer, Forward, Outcome } from "../policy/types.ts";
import type { RequestContext } from "./caller-connection.ts";
import type { DestinationLinks } from "./destination-links.ts";
import type { Upstream } from "./message.ts";
import { type Budget, Overflow } from "./upstream-pool.ts";

/** Who waits for a connection to an endpoint. */
export interface TryEvents {
  onConnection(upstream: Upstream): void;
  onUnreachable(outcome: Outcome, why: string): void;
}

/**
 * The endpoints at which one request is tried, one after the other: which one, a connection to it, and for those who choose, what
 * came of it.
 */
export class EndpointTries {
  private readonly plan: Forward;
  private readonly random: () => number;
  private readonly balancer: Balancer;
  private readonly links: DestinationLinks;
  private readonly events: TryEvents;
  private readonly left: Endpoint[] = [];
  private endpoint: Endpoint | undefined;
  /** The connection that is waited for, or was. */
  private promised: Promise<Upstream> | undefined;

  constructor(plan: Forward, context: RequestContext, events: TryEvents) {
    this.plan = plan;
    this.random = context.random;
    this.events = events;
    this.balancer = context.balancerOf(plan.destination);
    this.links = context.linksTo(plan.destination, this.balancer);
  }

  /** Of the destination, for the caller. */
  get budget(): Budget {
    return this.links.budget;
  }

  /** Where the request is tried; undefined: nowhere at the moment. */
  get current(): Endpoint | undefined {
    return this.endpoint;
  }

  /** Where it was tried last. */
  get last(): Endpoint | undefined {
    return this.endpoint ?? this.left.at(-1);
  }

  /** Goes on to an endpoint. @returns whether there is one; then the events tell of a connection, maybe before this returns */
  next(): boolean {
    const { hash, retries } = this.plan;
    const tried = retries?.avoidsPrevious === true ? this.left : [];
    this.endpoint = this.balancer.pick({ hash, tried, random: this.random }, performance.now());
    if (this.endpoint === undefined) return false;
    this.balancer.started(this.endpoint);
    this.connect(this.endpoint, false);
    return true;
  }

  /** Wants another connection to the same endpoint, one that has carried nothing yet. */
  anew(): void {
    if (this.endpoint !== undefined) this.connect(this.endpoint, true);
  }

  /** The connection is not used. */
  giveBack(upstream: Upstream): void {
    if (this.endpoint !== undefined) this.links.poolOf(this.endpoint).giveBack(upstream);
  }

  /** The try is over, whether there was a connection or not. */
  leave(outcome: Outcome): void {
    const { endpoint, promised } = this;
    this.endpoint = undefined;
    this.promised = undefined;
    if (endpoint === undefined) return;
    if (promised !== undefined) this.links.poolOf(endpoint).giveUp(promised);
    this.left.push(endpoint);
    this.balancer.ended(endpoint, outcome, performance.now());
  }

  private connect(endpoint: Endpoint, fresh: boolean): void {
    try {
      const upstream = this.links.poolOf(endpoint).acquire(fresh);
      if (!(upstream instanceof Promise)) return this.events.onConnection(upstream);
      this.promised = upstream;
      upstream.then(
        (opened) => this.onOpened(opened, upstream, endpoint),
        (error: unknown) => this.promised === upstream && this.fail(error),
      );
    } catch (error) {
      this.fail(error);
    }
  }

  private onOpened(opened: Upstream, promised: Promise<Upstream>, endpoint: Endpoint): void {
    if (this.promised === promised) this.events.onConnection(opened);
    else this.links.poolOf(endpoint).giveBack(opened);
  }

  private fail(error: unknown): void {
    if (error instanceof Overflow) this.events.onUnreachable({ kind: "overflow" }, error.message);
    else this.events.onUnreachable({ kind: "connectFailure" }, "the endpoint cannot be reached");
  }
}
