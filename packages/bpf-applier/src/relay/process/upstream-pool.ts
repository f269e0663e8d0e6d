import type { OnReadOpts, Socket } from "node:net";
import type { Limits } from "../policy/types.ts";
import type { Upstream } from "./message.ts";

/**
 * Opens a connection to an endpoint, in the network namespace of its caller.
 * @param onread gets what is read of it, past the stream
 * @throws Error naming the address
 */
export type Connect = (
  address: string,
  port: number,
  timeoutMs: number,
  onread?: OnReadOpts,
) => Promise<Socket>;

/** The same for one endpoint of a pool. */
export type Open = (onread?: OnReadOpts) => Promise<Socket>;

/** No place within the limits of a destination. */
export class Overflow extends Error {}

/** What a destination's connections and requests come to, for one caller. */
export class Budget {
  limits: Limits;
  connections = 0;
  pending = 0;
  requests = 0;
  retries = 0;

  constructor(limits: Limits) {
    this.limits = limits;
  }
}

/** The connections of one caller to one endpoint of one destination. */
export interface UpstreamPool {
  /**
   * @param fresh on a connection that has carried nothing yet
   * @returns at once where there is one
   * @throws Overflow
   */
  acquire(fresh: boolean): Upstream | Promise<Upstream>;
  /** Nobody waits for what `acquire` has promised: it counts no more. If it comes nevertheless, it is to be given back. */
  giveUp(promised: Promise<Upstream>): void;
  /** Takes back what was acquired and not used. */
  giveBack(upstream: Upstream): void;
  /** Closes those without a request since then; @returns whether any is left */
  closeIdle(since: number): boolean;
  close(): void;
}
