import type { ExchangeValue, HandbackValue, LinkValue, PoolKey } from "@keelson/bpf";

/** Programs count bytes modulo 2^32, as TCP does. */
export const countModulo = 0x1_0000_0000;

/** How the last exchange of a caller stands; see `settlement` in bpf/layout/enumerations.ts. */
export type Settlement = "settled" | "moving" | "gone";

/** How far the relay has gone on a caller's connection. */
export type Handback = Omit<HandbackValue, "seal">;

/** Programs that take requests off the way to the relay, and what the relay tells them. Sockets are named by their cookies. */
export interface SwitchingKernel {
  // --- Callers ---

  /**
   * From now on programs may move answers to the relay's end of a caller's connection.
   * @param source the caller's address, hashed as a key of consistent hashing
   * @throws Error if there is no room, or a relay has just left it
   */
  join(caller: bigint, socketFd: number, source: bigint): void;
  /** Programs leave the connection alone from now on. */
  leave(caller: bigint): void;
  /** Undefined: programs know nothing of it. */
  exchange(caller: bigint): ExchangeValue | undefined;
  /** Up to there the relay has answered all; from there on programs may take requests. */
  handBack(caller: bigint, upTo: Handback): void;
  /** What was handed back last. */
  handback(caller: bigint): Handback | undefined;
  /** Programs take no more requests of it, until it is handed back. */
  takeBack(caller: bigint): void;
  settle(caller: bigint): Promise<Settlement>;
  /** Of all callers, of whichever relay. */
  exchanges(): Promise<Map<bigint, ExchangeValue>>;

  // --- Links ---

  /** Programs hear what arrives on it from now on. @throws Error if there is no room */
  hear(link: bigint, socketFd: number): void;
  /** Puts a link that programs hear into a pool. @returns whether it is there */
  addLink(link: bigint, pool: PoolKey): Promise<boolean>;
  /** @returns true: it was idle, and is the relay's now */
  takeLink(link: bigint): Promise<boolean>;
  /** The answer that was passed to the relay has ended. @returns false: it was to go back to its pool, which has no room */
  release(link: bigint, isReusable: boolean): Promise<boolean>;
  /** From now on is told of the next bytes that are left to the relay on the link, once; `release` does so, too. */
  watchLink(link: bigint): Promise<void>;
  /** Who is told. */
  onPassed: (link: bigint) => void;
  /** Programs know nothing of the link any more. */
  dropLink(link: bigint): Promise<void>;
  link(link: bigint): LinkValue | undefined;
  /** Idle links that lie in the pool. */
  idleLinks(pool: PoolKey): number;
  /** No link of it is left. */
  dropPool(pool: PoolKey): void;

  /** Resolves when all programs have ended that run now: those that run then know of all that was said before. */
  runningProgramsEnd(): Promise<void>;
  /** Removes what belongs to sockets that are gone, and what a relay before has left to be removed. */
  clean(): Promise<void>;
  /** What was left is left for programs, too; nothing more is removed. */
  close(): Promise<void>;
}
