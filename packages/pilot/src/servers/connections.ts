import type { Server, Socket } from "node:net";

export interface ConnectionLimits {
  /** Connections at once, of all ports. One more takes the place of the oldest that has not asked for anything yet. */
  readonly connections: number;
}

/** A connection that is closed for want of room. */
export interface DroppedConnection {
  readonly peer: string;
  readonly reason: string;
}

/** A connection that ended before a request on it was whole. */
export interface UnaskedConnection {
  readonly peer: string;
  /** That it came to. */
  readonly port: number;
  readonly bytes: number;
}

/** Told of connections that come to nothing. */
export interface ConnectionEvents {
  readonly onDropped: (dropped: DroppedConnection) => void;
  readonly onUnasked: (unasked: UnaskedConnection) => void;
}

/** The connections of all ports, so that no crowd of them takes all the descriptors and the memory that there are. */
export class Connections {
  /** By their addresses, in the order in which they came. */
  private readonly all = new Map<string, Socket>();
  private readonly silent = new Map<string, Socket>();
  private readonly limit: number;
  private readonly events: ConnectionEvents;

  constructor({ connections }: ConnectionLimits, events: ConnectionEvents) {
    this.limit = connections;
    this.events = events;
  }

  get size(): number {
    return this.all.size;
  }

  /** Counts the connections that come to a server, before and after it listens. */
  follow(server: Server): void {
    server.on("connection", (socket: Socket) => this.add(socket));
  }

  /** Whether one of those that are followed has these addresses. */
  has(socket: Addresses): boolean {
    return this.all.has(keyOf(socket));
  }

  /** Its peer has sent a whole request. */
  hasAsked(socket: Addresses): void {
    this.silent.delete(keyOf(socket));
  }

  private add(socket: Socket): void {
    const key = keyOf(socket);
    // One that is handed on from server to server comes more than once.
    if (this.all.get(key) === socket) return;
    if (this.all.size >= this.limit) this.drop(this.silent.values().next().value ?? socket);
    if (socket.destroyed) return;
    this.all.set(key, socket);
    this.silent.set(key, socket);
    const { localPort: port = 0 } = socket;
    const peer = peerOf(socket);
    socket.once("close", () => {
      const { bytesRead: bytes } = socket;
      // Probes open a port and say nothing.
      if (this.silent.get(key) === socket && bytes > 0) this.events.onUnasked({ peer, port, bytes });
      this.remove(key, socket);
    });
  }

  private drop(socket: Socket): void {
    const peer = peerOf(socket);
    this.remove(keyOf(socket), socket);
    socket.destroy();
    this.events.onDropped({
      peer,
      reason: `${this.limit} connections are open, and this one has asked for nothing yet`,
    });
  }

  private remove(key: string, socket: Socket): void {
    if (this.all.get(key) !== socket) return;
    this.all.delete(key);
    this.silent.delete(key);
  }
}

/** What tells a TCP connection from all others. */
export interface Addresses {
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}

const keyOf = ({ localAddress, localPort, remoteAddress, remotePort }: Addresses): string =>
  `${localAddress} ${localPort} ${remoteAddress} ${remotePort}`;

export const peerOf = ({ remoteAddress, remotePort }: Addresses): string =>
  `${remoteAddress ?? "?"}:${remotePort ?? "?"}`;
