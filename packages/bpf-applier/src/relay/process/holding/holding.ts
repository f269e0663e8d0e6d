import { closeSync } from "node:fs";
import type { Socket } from "node:net";
import { type HeldDescriptor, type HolderPlace, tcpCounts } from "bpf-maps-native";
import type { Origin } from "../origin-lookup.ts";
import { HolderLine } from "./holder-line.ts";
import { Ledger, type Position } from "./ledger.ts";

/** A caller's connection, as a relay that comes after has to know it. */
export interface ConnectionNote {
  /** Cookie of its network namespace. */
  readonly network: bigint;
  readonly family: 4 | 6;
  readonly origin: Origin;
}

/** A connection that stands between two requests, and was another relay's. */
export interface LeftConnection extends ConnectionNote {
  /** The caller of `connectionsIn` closes it. */
  readonly fd: number;
  /** Nothing of it was read or written if both are 0. */
  readonly position: Position;
  readonly place: number;
}

const kinds = { ledger: 1, listener: 2, connection: 3 };
/** Networks that nobody has asked for by then are gone. */
const unclaimedMs = 30_000;

/**
 * Bytes that programs have sent on a caller's connection, modulo 2^32, by the cookie of the caller's socket. Undefined: they have
 * something under way.
 */
export type Moved = (caller: bigint) => number | undefined;

const countedTo = 0x1_0000_0000;

interface HeldParts {
  readonly socket: Socket;
  readonly note: ConnectionNote;
  readonly place: number;
  /** Where it stood when this process began with it. */
  readonly before: Position;
}

/** A connection that is held: it stays when this process dies, if it stands between two requests then. */
export class HeldConnection {
  readonly socket: Socket;
  readonly place: number;
  readonly before: Position;
  /** It is another relay's. */
  isLeft = false;
  private readonly ledger: Ledger;
  private readonly note: ConnectionNote;
  private readonly moved: Moved;

  constructor({ socket, note, place, before }: HeldParts, ledger: Ledger, moved: Moved) {
    this.socket = socket;
    this.note = note;
    this.place = place;
    this.before = before;
    this.ledger = ledger;
    this.moved = moved;
  }

  /**
   * All that was read is answered once so many bytes more are written. What is told before they are leaves no moment in which
   * the caller has its answer, and the connection would be closed.
   */
  standsBetweenRequests(coming: number): void {
    const { read, written } = this.before;
    const { bytesRead, bytesWritten } = this.socket;
    this.ledger.write(this.place, read + bytesRead, written + bytesWritten + coming);
  }

  /**
   * Leaves it to the relay that comes next, which finds what programs have sent on it counted as its own; the socket is of no
   * use any more.
   *
   * @returns whether it stands between two requests; else nothing has changed
   */
  letGo(): boolean {
    if (this.isLeft || this.socket.destroyed) return false;
    const position = this.ledger.at(this.place);
    const written = standsAt(descriptorOf(this.socket), position, this.moved(this.note.origin.cookie));
    if (written === undefined) return false;
    this.ledger.write(this.place, position.read, written);
    this.isLeft = true;
    return true;
  }
}

/**
 * Listeners and callers' connections, kept by another process beside this one, so that they outlive it. A relay that begins
 * takes those that the one before has left.
 */
export class Holding {
  private readonly line: HolderLine;
  private readonly moved: Moved;
  private readonly ledger: Ledger;
  /** Those of an earlier relay's, until they are asked for. */
  private readonly listeners = new Map<string, HeldDescriptor>();
  private readonly left = new Map<bigint, LeftConnection[]>();
  /** Numbers of this network's listeners. */
  private readonly listening = new Map<bigint, number[]>();
  private nextListener = 0;
  /** Those of this relay. */
  readonly connections = new Set<HeldConnection>();

  private constructor(line: HolderLine, held: readonly HeldDescriptor[], moved: Moved) {
    this.line = line;
    this.moved = moved;
    const connections = held.filter(({ kind }) => kind === kinds.connection);
    const memory = held.find(({ kind }) => kind === kinds.ledger);
    const fd = memory?.fd ?? Ledger.make();
    this.ledger = new Ledger(fd, new Set(connections.map(({ number }) => number)));
    this.line.hold({ kind: kinds.ledger, number: 0 }, fd, "");
    for (const listener of held.filter(({ kind }) => kind === kinds.listener)) {
      this.listeners.set(listener.note, listener);
      this.nextListener = Math.max(this.nextListener, listener.number + 1);
    }
    for (const connection of connections) this.sort(connection);
    setTimeout(() => this.forgetUnclaimed(), unclaimedMs).unref();
  }

  /**
   * @param onError of a holder that was lost; a new one is sought then
   * @param moved what programs have sent on connections beside the relay
   */
  static async open(
    place: HolderPlace,
    onError: (error: Error) => void,
    moved: Moved = () => 0,
  ): Promise<Holding> {
    const { line, held } = await HolderLine.open(place, onError);
    return new Holding(line, held, moved);
  }

  /** One that an earlier relay has left, or what `make` makes. @returns a descriptor that is the caller's to close */
  async listener(network: bigint, address: string, make: () => Promise<number>): Promise<number> {
    const note = `${network} ${address}`;
    const left = this.listeners.get(note);
    this.listeners.delete(note);
    const fd = left?.fd ?? (await make());
    const number = left?.number ?? this.nextListener++;
    this.listening.set(network, [...(this.listening.get(network) ?? []), number]);
    this.line.hold({ kind: kinds.listener, number }, fd, note);
    return fd;
  }

  /** Nobody is accepted there any more. To be called once they are closed here. */
  dropListeners(network: bigint): void {
    for (const number of this.listening.get(network) ?? []) this.line.drop({ kind: kinds.listener, number });
    this.listening.delete(network);
  }

  /** They are the next relay's. To be called once they are closed here. */
  leaveListeners(network: bigint): void {
    for (const number of this.listening.get(network) ?? []) this.line.leave({ kind: kinds.listener, number });
    this.listening.delete(network);
  }

  /** @param socket which was just accepted @returns undefined: there is no room; it ends with this process */
  hold(socket: Socket, note: ConnectionNote): HeldConnection | undefined {
    const place = this.ledger.take();
    return place === undefined
      ? undefined
      : this.keep({ socket, note, place, before: { read: 0, written: 0 } });
  }

  /** One that was left, with the socket made of it. */
  resume(socket: Socket, { place, position, fd: _, ...note }: LeftConnection): HeldConnection {
    return this.keep({ socket, note, place, before: position });
  }

  /** Those that were left in a network; each is told once. The others had a request under way, and are closed. */
  connectionsIn(network: bigint): readonly LeftConnection[] {
    const left = this.left.get(network) ?? [];
    this.left.delete(network);
    return left;
  }

  /** Looks whether all this is held; by a new holder, where the one that had it is gone. */
  isHeld(): Promise<boolean> {
    return this.line.isThere();
  }

  /** All of it is closed, and the holder ends. */
  end(): void {
    this.line.end();
  }

  private keep(parts: HeldParts): HeldConnection {
    const { socket, note, place } = parts;
    const held = new HeldConnection(parts, this.ledger, this.moved);
    const key = { kind: kinds.connection, number: place };
    this.line.hold(key, descriptorOf(socket), textOf(note));
    this.connections.add(held);
    socket.once("close", () => {
      this.connections.delete(held);
      if (held.isLeft) return this.line.leave(key);
      // Only now is the connection closed: the holder's descriptor is the last. Others that hear of this end take the socket out of
      // the kernel's maps first: a kernel that closes it on another CPU meanwhile warns (sock_map_destroy), and does not free it all.
      queueMicrotask(() => {
        this.line.drop(key);
        this.ledger.release(place);
      });
    });
    return held;
  }

  private sort({ fd, number: place, note: text }: HeldDescriptor): void {
    const note = noteOf(text);
    const position = this.ledger.at(place);
    if (standsAt(fd, position, this.moved(note.origin.cookie)) === undefined) return this.close(fd, place);
    const others = this.left.get(note.network) ?? [];
    others.push({ ...note, fd, place, position });
    this.left.set(note.network, others);
  }

  private close(fd: number, place: number): void {
    closeSync(fd);
    this.line.drop({ kind: kinds.connection, number: place });
    this.ledger.release(place);
  }

  private forgetUnclaimed(): void {
    for (const { fd, place } of [...this.left.values()].flat()) this.close(fd, place);
    this.left.clear();
    for (const { fd, kind, number } of this.listeners.values()) {
      closeSync(fd);
      this.line.drop({ kind, number });
    }
    this.listeners.clear();
  }
}

/**
 * @param moved what programs have sent on it beside
 * @returns bytes that were written of a connection, by relays and programs; undefined: it does not stand at that position
 */
function standsAt(fd: number, position: Position, moved: number | undefined): number | undefined {
  const counts = tcpCounts(fd);
  if (moved === undefined || counts?.read !== position.read) return undefined;
  return (counts.written - position.written - moved) % countedTo === 0 ? counts.written : undefined;
}

/** Node does not say which one it is, but to itself. */
function descriptorOf(socket: Socket): number {
  return (socket as unknown as { readonly ["_handle"]: { readonly fd: number } })["_handle"].fd;
}

const textOf = ({ network, family, origin }: ConnectionNote): string =>
  [network, family, origin.workload, origin.service, origin.cookie].join(" ");

function noteOf(text: string): ConnectionNote {
  const [network = 0n, family, workload = 0n, service = 0n, cookie = 0n] = text.split(" ").map(BigInt);
  return { network, family: family === 6n ? 6 : 4, origin: { workload, service, cookie } };
}
