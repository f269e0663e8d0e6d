import { closeSync, openSync } from "node:fs";
import { createServer, type OnReadOpts, type Server, Socket } from "node:net";
import { connectInNamespace, listenInNamespace } from "bpf-maps-native";
import type { Balancer, DestinationRef } from "../policy/types.ts";
import type { RelayPorts } from "../relay.ts";
import { DestinationLinks } from "./destination-links.ts";
import type { Holding, LeftConnection } from "./holding/holding.ts";
import { mostWaiting } from "./splice.ts";

/** How often idle connections are looked at. */
const sweepMs = 1_000;

/** Which network namespace it is. */
export interface NetworkPlace {
  readonly cookie: bigint;
  /** Undefined: that of this process. */
  readonly path: string | undefined;
}

/** Who takes callers' connections. */
export interface Taker {
  accept(socket: Socket, family: 4 | 6, network: CallerNetwork): void;
  /** One of a relay that has ended. */
  resume(socket: Socket, left: LeftConnection, network: CallerNetwork): void;
}

/**
 * A network namespace with callers in it: where the relay listens there, and the connections that it opened there. It is held
 * by a descriptor, so that it can be entered although the process whose path led there is gone.
 */
export class CallerNetwork {
  readonly cookie: bigint;
  ports: RelayPorts = { port4: 0, port6: 0 };
  /** Connections of callers. */
  readonly callers = new Set<Socket>();
  private readonly fd: number | undefined;
  private readonly holding: Holding | undefined;
  private readonly servers: Server[] = [];
  private readonly links = new Map<bigint, Map<string, DestinationLinks>>();
  private isClosed = false;
  private readonly sweep = setInterval(() => this.closeIdle(), sweepMs).unref();

  private constructor({ cookie, path }: NetworkPlace, holding: Holding | undefined) {
    this.cookie = cookie;
    this.holding = holding;
    this.fd = path === undefined ? undefined : openSync(path, "r");
  }

  /** With what an earlier relay has left there. @throws Error if there is nowhere to listen */
  static async open(
    network: NetworkPlace,
    taker: Taker,
    holding: Holding | undefined,
  ): Promise<CallerNetwork> {
    const opened = new CallerNetwork(network, holding);
    try {
      const port4 = await opened.listen("127.0.0.1", (socket) => taker.accept(socket, 4, opened));
      const port6 = await opened.listen("::1", (socket) => taker.accept(socket, 6, opened)).catch(() => 0);
      for (const left of holding?.connectionsIn(network.cookie) ?? []) {
        taker.resume(new Socket(optionsOf(left.fd)), left, opened);
      }
      opened.ports = { port4, port6 };
      return opened;
    } catch (error) {
      opened.close();
      throw error;
    }
  }

  /** Connections of one caller to one destination. */
  linksTo(
    workload: bigint,
    destination: DestinationRef,
    { limits }: Balancer,
    http2: boolean,
  ): DestinationLinks {
    let own = this.links.get(workload);
    if (own === undefined) {
      own = new Map();
      this.links.set(workload, own);
    }
    // A port whose protocol changes leaves its connections of before.
    const key = `${http2 ? "HTTP/2" : "HTTP/1.1"} ${destination.key}`;
    let links = own.get(key);
    if (links === undefined) {
      links = new DestinationLinks(this.connect, http2, limits);
      own.set(key, links);
    }
    links.budget.limits = limits;
    return links;
  }

  /** Opens a connection in the namespace. @returns its descriptor, which is whoever's asked */
  open(address: string, port: number, timeoutMs: number): Promise<number> {
    return connectInNamespace(this.path, { address, port, timeoutMs });
  }

  /** The same as a socket. @param onread gets what is read of it, past the stream */
  readonly connect = async (
    address: string,
    port: number,
    timeoutMs: number,
    onread?: OnReadOpts,
  ): Promise<Socket> => {
    const options = optionsOf(await this.open(address, port, timeoutMs));
    const socket = new Socket(onread === undefined ? options : { ...options, onread });
    if (!this.isClosed) return socket;
    socket.destroy(); // nobody is left who would
    throw new Error("the caller's network is gone");
  };

  /** Nobody is accepted any more; those that are here stay. */
  stopListening(): void {
    this.stopAccepting();
    this.holding?.dropListeners(this.cookie);
  }

  /** Who calls waits for another relay, where listeners are held. */
  leaveListeners(): void {
    this.stopAccepting();
    this.holding?.leaveListeners(this.cookie);
  }

  private stopAccepting(): void {
    for (const server of this.servers) server.close();
    this.servers.length = 0;
  }

  /** Resolves when the last caller has gone. */
  async empty(): Promise<void> {
    await Promise.all(
      [...this.callers].map((socket) => new Promise((resolve) => socket.once("close", resolve))),
    );
  }

  close(): void {
    this.isClosed = true;
    this.stopListening();
    clearInterval(this.sweep);
    for (const socket of this.callers) socket.destroy();
    for (const own of this.links.values()) for (const links of own.values()) links.close();
    this.links.clear();
    if (this.fd !== undefined) closeSync(this.fd);
  }

  private get path(): string | undefined {
    return this.fd === undefined ? undefined : `/proc/self/fd/${this.fd}`;
  }

  private async listen(address: string, accept: (socket: Socket) => void): Promise<number> {
    const make = (): Promise<number> => listenInNamespace(this.path, { address, port: 0 });
    const fd = await (this.holding?.listener(this.cookie, address, make) ?? make());
    const server = createServer({ allowHalfOpen: true, noDelay: true, highWaterMark: mostWaiting }, accept);
    this.servers.push(server);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once("error", reject);
    server.listen({ fd }, resolve);
    await promise;
    const bound = server.address();
    if (bound === null || typeof bound === "string") throw new Error(`no port of ${address} is known`);
    return bound.port;
  }

  private closeIdle(): void {
    const now = performance.now();
    for (const [workload, own] of this.links) {
      for (const [key, links] of own) if (!links.closeIdle(now)) own.delete(key);
      if (own.size === 0) this.links.delete(workload);
    }
  }
}

const optionsOf = (fd: number) => ({ fd, allowHalfOpen: true, highWaterMark: mostWaiting });
