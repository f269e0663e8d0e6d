import type { Position } from "./ledger.ts";

/** A connection to an endpoint that is held, so that what programs have under way on it outlives the relay. */
export interface HeldLink {
  readonly fd: number;
  /** What a relay that comes after has to know of it. */
  readonly note: string;
  /** It is closed, or about to be; twice is once. */
  drop(): void;
}

/** What programs have sent on a caller's connection beside a relay that is gone. */
export interface MovedBefore {
  /** Modulo 2^32. */
  readonly bytes: number;
  /** Some of it may be on its way yet, and an answer may still come. */
  readonly mayCome: boolean;
}

/** What programs do with connections beside the relay. */
export interface Beside {
  /** Links of an earlier relay's; asked once, first of all. Those that are of no use are closed and dropped. */
  takeLinks(links: readonly HeldLink[]): Promise<void>;
  /**
   * Where programs are with a connection of an earlier relay's.
   * @param position where that has said that it stands
   * @returns undefined: it is of no use any more
   */
  movedBefore(caller: bigint, position: Position): MovedBefore | undefined;
  /**
   * Bytes that programs have sent on a connection of this relay's, modulo 2^32, by the cookie of the caller's socket.
   * @returns undefined: they have something under way
   */
  moved(caller: bigint): number | undefined;
  /** A connection of an earlier relay's is closed. */
  forget(caller: bigint): void;
}
