import type { Socket } from "node:net";
import type { Endpoint } from "@keelson/protos/policy";
import type { Limits } from "../policy/types.ts";
import { addressOf } from "./endpoint-address.ts";
import { Http1Pool } from "./http1/http1-pool.ts";
import { Http2Pool } from "./http2/http2-pool.ts";
import { Budget, type Connect, type Open, Overflow, type UpstreamPool } from "./upstream-pool.ts";

/** The connections of one caller to the endpoints of one destination; never shared with another caller. */
export class DestinationLinks {
  readonly budget: Budget;
  private readonly connect: Connect;
  private readonly http2: boolean;
  private readonly pools = new Map<string, UpstreamPool>();

  /** @param http2 the endpoints speak it (by the port's protocol, as Envoy's upstreams) */
  constructor(connect: Connect, http2: boolean, limits: Limits) {
    this.connect = connect;
    this.http2 = http2;
    this.budget = new Budget(limits);
  }

  poolOf(endpoint: Endpoint): UpstreamPool {
    const { address, port, text } = addressOf(endpoint);
    let pool = this.pools.get(text);
    if (pool === undefined) {
      const open: Open = (onread) => this.connect(address, port, this.budget.limits.connectTimeoutMs, onread);
      pool = this.http2 ? new Http2Pool(open, this.budget) : new Http1Pool(open, this.budget);
      this.pools.set(text, pool);
    }
    return pool;
  }

  /**
   * A connection for bytes, which nobody waits for: as Envoy's TCP proxy, which has no more than the destination's connections.
   * @throws Overflow at once; Error if the endpoint cannot be reached
   */
  async openForBytes(endpoint: Endpoint): Promise<Socket> {
    const { budget } = this;
    const { connections, connectTimeoutMs } = budget.limits;
    if (budget.connections >= connections)
      throw new Overflow(`${budget.connections} connections are open, the most that are allowed`);
    const { address, port } = addressOf(endpoint);
    budget.connections++;
    try {
      const socket = await this.connect(address, port, connectTimeoutMs);
      return socket.once("close", () => budget.connections--);
    } catch (error) {
      budget.connections--;
      throw error;
    }
  }

  /** Closes connections that had nothing to do for the destination's idle time-out. @returns whether any is left, or to come */
  closeIdle(now: number): boolean {
    for (const [text, pool] of this.pools) {
      if (!pool.closeIdle(now - this.budget.limits.idleTimeoutMs)) this.pools.delete(text);
    }
    // A request may stand between two attempts, without a connection; connections for bytes are in no pool.
    return this.pools.size > 0 || this.budget.requests > 0 || this.budget.connections > 0;
  }

  close(): void {
    for (const pool of this.pools.values()) pool.close();
  }
}
