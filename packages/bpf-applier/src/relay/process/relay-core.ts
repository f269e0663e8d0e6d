import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { RelayPorts } from "../relay.ts";
import type { Call } from "./call.ts";
import type { CallerConnection } from "./caller-connection.ts";
import { CallerNetwork, type NetworkPlace } from "./caller-network.ts";
import { ClientHellos } from "./client-hellos.ts";
import { forwardConnection } from "./connection-forwarding.ts";
import { CounterBook } from "./counter-book.ts";
import { FrontDoor, type Speakers } from "./front-door.ts";
import type { HeldConnection } from "./holding/held-connection.ts";
import type { Holding } from "./holding/holding.ts";
import { Http1Front } from "./http1/http1-front.ts";
import { Http2Front } from "./http2/http2-front.ts";
import { OpeningBytes } from "./opening-bytes.ts";
import type { OriginLookup } from "./origin-lookup.ts";
import { type PolicyDifference, PolicyState } from "./policy-state.ts";
import { RequestHandler } from "./request-handler.ts";
import { RequestTap } from "./request-tap.ts";
import type { Conversation } from "./switching/conversation.ts";
import type { SwitchingKernel } from "./switching/kernel.ts";
import type { LeftLink } from "./switching/left-link.ts";
import type { PoolBounds } from "./switching/link-pools.ts";
import { Switching } from "./switching/switching.ts";
import { HeadBound, type HeadLimits, headLimits } from "./unfinished-heads.ts";

/** Milliseconds between two looks at what can be left to another relay: doubled each time. */
const firstPauseMs = 2;
const longestPauseMs = 100;
/** Looks at whether connections have settled that are under way at once. */
const looksAtOnce = 64;

/** As Envoy's idle_timeout of HTTP connections: pools and browsers open some long before they use them. */
const defaultIdleMs = 3_600_000;

/** What a relay has at the moment. */
export interface CoreStatus {
  readonly networks: number;
  readonly connections: number;
  readonly requests: number;
  readonly refused: CounterBook["refused"];
}

export interface RelayCoreOptions {
  /** From 0 to 1; Math.random if left out. */
  readonly random?: () => number;
  /** Undefined: what is here ends with this process. */
  readonly holding?: Holding | undefined;
  /** Undefined: no program takes requests off the way to the relay. */
  readonly kernel?: SwitchingKernel | undefined;
  readonly bounds?: PoolBounds | undefined;
  readonly heads?: HeadLimits | undefined;
  /** Milliseconds that callers may keep a connection before its first byte, and one of HTTP/2 without a request; Envoy's hour if left out. */
  readonly idleMs?: number | undefined;
  /** Links of an earlier relay's that are of use. */
  readonly leftLinks?: Iterable<LeftLink> | undefined;
}

/** The relay without its process: networks, policy, counters. */
export class RelayCore {
  readonly counters = new CounterBook();
  /** Single requests, for who wants to see them. */
  readonly tap: RequestTap;
  private readonly policy: PolicyState;
  private readonly networks = new Map<bigint, CallerNetwork>();
  private readonly opening = new Map<bigint, Promise<CallerNetwork>>();
  private readonly connections = new WeakMap<Socket, CallerConnection>();
  private readonly handler: RequestHandler;
  private readonly http1: Http1Front;
  private readonly http2: Http2Front;
  private readonly heads: HeadBound;
  private readonly door: FrontDoor;
  private readonly holding: Holding | undefined;
  private readonly switching: Switching | undefined;
  /** Another relay is to have all. */
  private leaving = false;

  constructor(
    origins: OriginLookup,
    {
      random = Math.random,
      holding,
      kernel,
      bounds,
      heads = headLimits,
      idleMs = defaultIdleMs,
      leftLinks,
    }: RelayCoreOptions = {},
  ) {
    this.holding = holding;
    this.policy = new PolicyState(random);
    this.tap = new RequestTap(random);
    const isThere = (address: string): boolean => this.policy.hasEndpoint(address);
    this.switching =
      kernel && new Switching(kernel, isThere, this.tap, { bounds, holder: holding, left: leftLinks });
    this.handler = new RequestHandler(this.policy, this.tap, random, this.switching);
    const onCall = (call: Call, socket: Socket): void => {
      const connection = this.connections.get(socket);
      if (connection === undefined) throw new Error("a request came on a connection that was not accepted");
      this.handler.handle(call, connection);
    };
    const watchers = {
      onAnswered: (socket: Socket, coming: number) =>
        this.connections.get(socket)?.held?.standsBetweenRequests(coming),
      onQuiet: (socket: Socket) => {
        if (this.leaving) this.letGo(this.connections.get(socket)?.held);
      },
    };
    this.http1 = new Http1Front(onCall, watchers, heads.timeMs);
    const times = { headMs: heads.timeMs, idleMs };
    this.http2 = new Http2Front(onCall, times);
    const hellos = new ClientHellos(heads.timeMs);
    this.heads = new HeadBound([this.http1, this.http2, hellos], heads.unfinished);
    const scene = { policy: this.policy, counters: this.counters, random };
    const speakers: Speakers = {
      http1: (connection) => {
        this.connections.set(connection.socket, connection);
        const conversation = this.switching?.join(connection);
        if (conversation !== undefined) connection.conversation = conversation;
        this.http1.accept(connection.socket, connection.network, conversation);
      },
      http2: (connection) => {
        this.connections.set(connection.socket, connection);
        this.http2.accept(connection.socket, connection.network);
      },
      bytes: (connection, tls) => {
        const forward = (serverName?: string): void => forwardConnection(connection, serverName, scene);
        if (tls) hellos.read(connection.socket, connection.network, forward);
        else forward();
      },
    };
    this.door = new FrontDoor(
      origins,
      this.policy,
      this.counters,
      speakers,
      new OpeningBytes(times),
      holding,
    );
  }

  /** @param isWhole there was none before: what is not named is gone */
  applyPolicy(difference: PolicyDifference, isWhole = false): void {
    this.policy.apply(difference, isWhole);
  }

  /** The policy before counts again. @throws Error if the last change was no whole one */
  takePolicyBack(): void {
    this.policy.takeBack();
  }

  /** One that is there already stays. @throws Error if it cannot be entered, or has neither 127.0.0.1 nor ::1 */
  async addNetwork(wanted: NetworkPlace): Promise<RelayPorts> {
    const network = this.networks.get(wanted.cookie) ?? (await this.openNetwork(wanted));
    return network.ports;
  }

  /** Once, however many ask for it meanwhile. */
  private openNetwork(wanted: NetworkPlace): Promise<CallerNetwork> {
    const { cookie } = wanted;
    const opening =
      this.opening.get(cookie) ??
      CallerNetwork.open(wanted, this.door, this.holding)
        .then((network) => {
          this.networks.set(cookie, network);
          return network;
        })
        .finally(() => this.opening.delete(cookie));
    this.opening.set(cookie, opening);
    return opening;
  }

  /** Cookies of the networks. */
  listensIn(): bigint[] {
    return [...this.networks.keys()];
  }

  /** Closes all that is there. */
  removeNetwork(cookie: bigint): void {
    this.networks.get(cookie)?.close();
    this.switching?.removeNetwork(cookie);
    this.networks.delete(cookie);
  }

  status(): CoreStatus {
    const networks = [...this.networks.values()];
    const connections = networks.reduce((sum, { callers }) => sum + callers.size, 0);
    const { requests } = this.handler;
    return { networks: networks.length, connections, requests, refused: this.counters.refused };
  }

  /** Accepts nobody any more, waits for callers to go for so long, and closes the rest. */
  async close(graceMs: number): Promise<void> {
    const networks = [...this.networks.values()];
    for (const network of networks) network.stopListening();
    this.http1.close();
    this.http2.close();
    await Promise.race([
      Promise.all(networks.map((network) => network.empty())),
      new Promise((resolve) => setTimeout(resolve, graceMs).unref()),
    ]);
    for (const network of networks) network.close();
    this.heads.close();
    this.networks.clear();
    await this.switching?.close();
    this.holding?.end();
  }

  /**
   * Leaves listeners and connections with their holder, to the relay that comes next: each connection once it stands between two
   * requests. Those that do not within that time are closed when this process ends, as are all without a holder. Links are closed: the
   * next relay may have programs of its own.
   */
  async handOver(graceMs: number): Promise<void> {
    const deadline = performance.now() + graceMs;
    const isHeld = (await this.holding?.isHeld()) ?? false;
    for (const network of this.networks.values()) network.leaveListeners();
    this.http2.close();
    await this.switching?.withdraw();
    this.leaving = isHeld;
    let pauseMs = firstPauseMs;
    while ((await this.letAllGo(deadline)) > 0 && performance.now() < deadline) {
      await sleep(pauseMs);
      pauseMs = Math.min(pauseMs * 2, longestPauseMs);
    }
    await this.switching?.close();
  }

  /** @param deadline by the clock of performance.now() @returns how many connections are left */
  private async letAllGo(deadline: number): Promise<number> {
    // Most have nothing under way, and need not wait for those that have.
    const all = this.leaving ? (this.holding?.connections ?? []) : [];
    for (const held of all) this.letGo(held);
    const others = [...all].filter(({ isLeft }) => !isLeft);
    for (let at = 0; at < others.length && performance.now() < deadline; at += looksAtOnce) {
      const some = others.slice(at, at + looksAtOnce);
      await Promise.all(some.map(async (held) => this.conversationOf(held)?.settled()));
      for (const held of some) this.letGo(held);
    }
    return [...this.networks.values()].reduce((sum, { callers }) => sum + callers.size, 0);
  }

  private letGo(held: HeldConnection | undefined): void {
    const conversation = held && this.conversationOf(held);
    if (held === undefined || conversation?.isSettled === false) return;
    if (!held.letGo()) return;
    // A request that programs took in this moment would be answered by nobody.
    if (conversation?.leave() === true) held.isLeft = false;
    held.socket.destroy();
  }

  private conversationOf({ socket }: HeldConnection): Conversation | undefined {
    return this.connections.get(socket)?.conversation;
  }
}
