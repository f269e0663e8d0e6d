import type { Socket } from "node:net";
import { tcpCounts } from "bpf-maps-native";
import type { Origin } from "../origin-lookup.ts";
import type { Beside } from "./beside.ts";
import type { Ledger, Position } from "./ledger.ts";

/** A caller's connection, as a relay that comes after has to know it. */
export interface ConnectionNote {
  /** Cookie of its network namespace. */
  readonly network: bigint;
  readonly family: 4 | 6;
  readonly origin: Origin;
}

export interface HeldParts {
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
  private readonly beside: Beside;

  constructor({ socket, note, place, before }: HeldParts, ledger: Ledger, beside: Beside) {
    this.socket = socket;
    this.note = note;
    this.place = place;
    this.before = before;
    this.ledger = ledger;
    this.beside = beside;
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
    const moved = this.beside.moved(this.note.origin.cookie);
    const stand = moved === undefined ? undefined : standOf(descriptorOf(this.socket), position, moved);
    if (stand?.beyond !== 0) return false;
    this.ledger.write(this.place, position.read, stand.written);
    this.isLeft = true;
    return true;
  }
}

interface Stand {
  /** Bytes, by relays and programs. */
  readonly written: number;
  /** Bytes that were written behind the position and what programs have sent; below 0: so many of those are not written yet. */
  readonly beyond: number;
}

/**
 * @param moved what programs have sent on it beside
 * @returns undefined: it is not open, or more, or less, was read of it
 */
export function standOf(fd: number, position: Position, moved: number): Stand | undefined {
  const counts = tcpCounts(fd);
  if (counts?.read !== position.read) return undefined;
  return { written: counts.written, beyond: (counts.written - position.written - moved) | 0 };
}

/** Node does not say which one it is, but to itself. */
export function descriptorOf(socket: Socket): number {
  return (socket as unknown as { readonly ["_handle"]: { readonly fd: number } })["_handle"].fd;
}
