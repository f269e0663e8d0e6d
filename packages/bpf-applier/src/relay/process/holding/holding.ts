import { closeSync } from "node:fs";
import type { Socket } from "node:net";
import { mostAnswerBytes } from "@keelson/bpf";
import type { HeldDescriptor, HolderPlace } from "bpf-maps-native";
import type { Beside, HeldLink } from "./beside.ts";
import {
  type ConnectionNote,
  descriptorOf,
  HeldConnection,
  type HeldParts,
  standOf,
} from "./held-connection.ts";
import { HolderLine } from "./holder-line.ts";
import { Ledger, type Position } from "./ledger.ts";

/** A connection that stands between two requests, and was another relay's. */
export interface LeftConnection extends ConnectionNote {
  /** The caller of `connectionsIn` closes it. */
  readonly fd: number;
  /** Nothing of it was read or written if both are 0. */
  readonly position: Position;
  readonly place: number;
}

const kinds = { ledger: 1, listener: 2, connection: 3, link: 4 };
/** Networks that nobody has asked for by then are gone. */
const unclaimedMs = 30_000;

/** No programs do anything. */
const nobody: Beside = {
  takeLinks(links) {
    for (const link of links) {
      link.drop();
      closeSync(link.fd);
    }
    return Promise.resolve();
  },
  movedBefore: () => ({ bytes: 0, mayCome: false }),
  moved: () => 0,
  forget: () => undefined,
};

/**
 * Listeners, callers' connections, and links, kept by another process beside this one, so that they outlive it. A relay that
 * begins takes those that the one before has left.
 */
export class Holding {
  private readonly line: HolderLine;
  private readonly beside: Beside;
  private readonly ledger: Ledger;
  /** Those of an earlier relay's, until they are asked for. */
  private readonly listeners = new Map<string, HeldDescriptor>();
  private readonly left = new Map<bigint, LeftConnection[]>();
  /** Numbers of this network's listeners. */
  private readonly listening = new Map<bigint, number[]>();
  private nextListener = 0;
  /** Numbers of links below `nextLink` that are free. */
  private readonly freeLinks: number[] = [];
  private nextLink = 0;
  /** What was made of the connections of an earlier relay's. */
  readonly found = { goOn: 0, closed: 0 };
  /** Those of this relay. */
  readonly connections = new Set<HeldConnection>();

  private constructor(line: HolderLine, held: readonly HeldDescriptor[], beside: Beside) {
    this.line = line;
    this.beside = beside;
    const connections = held.filter(({ kind }) => kind === kinds.connection);
    const memory = held.find(({ kind }) => kind === kinds.ledger);
    const fd = memory?.fd ?? Ledger.make();
    this.ledger = new Ledger(fd, new Set(connections.map(({ number }) => number)));
    this.line.hold({ kind: kinds.ledger, number: 0 }, fd, "");
    for (const listener of held.filter(({ kind }) => kind === kinds.listener)) {
      this.listeners.set(listener.note, listener);
      this.nextListener = Math.max(this.nextListener, listener.number + 1);
    }
    setTimeout(() => this.forgetUnclaimed(), unclaimedMs).unref();
  }

  /**
   * @param onError of a holder that was lost; a new one is sought then
   * @param beside what programs do with connections beside the relay
   */
  static async open(place: HolderPlace, onError: (error: Error) => void, beside = nobody): Promise<Holding> {
    const { line, held } = await HolderLine.open(place, onError);
    const holding = new Holding(line, held, beside);
    await beside.takeLinks(holding.leftLinks(held));
    for (const one of held) if (one.kind === kinds.connection) holding.sort(one);
    return holding;
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

  /** Of a connection to an endpoint; to be closed here once it is dropped. */
  holdLink(fd: number, note: string): HeldLink {
    return this.keepLink(this.freeLinks.pop() ?? this.nextLink++, fd, note);
  }

  /** All of it is closed, and the holder ends. */
  end(): void {
    this.line.end();
  }

  private leftLinks(held: readonly HeldDescriptor[]): HeldLink[] {
    const links = held.filter(({ kind }) => kind === kinds.link);
    this.nextLink = links.reduce((next, { number }) => Math.max(next, number + 1), 0);
    const taken = new Set(links.map(({ number }) => number));
    for (let number = 0; number < this.nextLink; number++)
      if (!taken.has(number)) this.freeLinks.push(number);
    return links.map(({ number, fd, note }) => this.keepLink(number, fd, note));
  }

  private keepLink(number: number, fd: number, note: string): HeldLink {
    const key = { kind: kinds.link, number };
    this.line.hold(key, fd, note);
    let isHeld = true;
    const drop = (): void => {
      if (!isHeld) return;
      isHeld = false;
      this.line.drop(key);
      this.freeLinks.push(number);
    };
    return { fd, note, drop };
  }

  private keep(parts: HeldParts): HeldConnection {
    const { socket, note, place } = parts;
    const held = new HeldConnection(parts, this.ledger, this.beside);
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
    if (!this.goesOn(fd, note, position)) {
      this.found.closed++;
      return this.close(fd, place, note);
    }
    this.found.goOn++;
    const others = this.left.get(note.network) ?? [];
    others.push({ ...note, fd, place, position });
    this.left.set(note.network, others);
  }

  /** Nothing is under way on it, but what programs have: of one answer at most. */
  private goesOn(fd: number, { origin }: ConnectionNote, position: Position): boolean {
    const moved = this.beside.movedBefore(origin.cookie, position);
    const beyond = moved && standOf(fd, position, moved.bytes)?.beyond;
    if (moved === undefined || beyond === undefined) return false;
    return beyond === 0 || (moved.mayCome && beyond < 0 && beyond >= -mostAnswerBytes);
  }

  private close(fd: number, place: number, { origin }: ConnectionNote): void {
    // First: see `keep`.
    this.beside.forget(origin.cookie);
    closeSync(fd);
    this.line.drop({ kind: kinds.connection, number: place });
    this.ledger.release(place);
  }

  private forgetUnclaimed(): void {
    for (const left of [...this.left.values()].flat()) this.close(left.fd, left.place, left);
    this.left.clear();
    for (const { fd, kind, number } of this.listeners.values()) {
      closeSync(fd);
      this.line.drop({ kind, number });
    }
    this.listeners.clear();
  }
}

const textOf = ({ network, family, origin }: ConnectionNote): string =>
  [network, family, origin.workload, origin.service, origin.cookie].join(" ");

function noteOf(text: string): ConnectionNote {
  const [network = 0n, family, workload = 0n, service = 0n, cookie = 0n] = text.split(" ").map(BigInt);
  return { network, family: family === 6n ? 6 : 4, origin: { workload, service, cookie } };
}
