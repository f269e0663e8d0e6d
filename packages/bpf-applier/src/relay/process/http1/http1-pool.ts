import type { Upstream } from "../message.ts";
import { ReusedReads } from "../reused-reads.ts";
import { type Budget, type Open, Overflow, type UpstreamPool } from "../upstream-pool.ts";
import { Http1Upstream } from "./http1-upstream.ts";

interface Idle {
  readonly upstream: Http1Upstream;
  /** By the clock of performance.now(). */
  readonly since: number;
}

interface Waiting {
  readonly resolve: (upstream: Http1Upstream) => void;
  readonly reject: (error: unknown) => void;
}

/** Idle connections that are kept to one endpoint. */
const mostIdle = 256;

/** Connections for one request at a time; the one that was used last is used next, so that the others may go. */
export class Http1Pool implements UpstreamPool {
  private readonly open: Open;
  private readonly budget: Budget;
  private readonly idle: Idle[] = [];
  /** By what they were promised; first come, first served. */
  private readonly waiting = new Map<Promise<Upstream>, Waiting>();
  private readonly all = new Set<Http1Upstream>();
  private opening = 0;

  constructor(open: Open, budget: Budget) {
    this.open = open;
    this.budget = budget;
  }

  acquire(fresh: boolean): Http1Upstream | Promise<Http1Upstream> {
    const found = fresh ? undefined : this.idle.pop();
    if (found !== undefined) return found.upstream;
    const { connections, pending, limits } = this.budget;
    // As Envoy's: an endpoint without any connection may always have one.
    if (connections < limits.connections || this.all.size + this.opening === 0) return this.connect();
    if (pending >= limits.pendingRequests) {
      throw new Overflow(
        `${connections} connections are open and ${pending} requests wait, the most that are allowed`,
      );
    }
    this.budget.pending++;
    const { promise, ...waiting } = Promise.withResolvers<Http1Upstream>();
    this.waiting.set(promise, waiting);
    return promise;
  }

  giveUp(promised: Promise<Upstream>): void {
    if (this.waiting.delete(promised)) this.budget.pending--;
  }

  giveBack(upstream: Http1Upstream): void {
    if (this.all.has(upstream)) this.onIdle(upstream);
  }

  closeIdle(since: number): boolean {
    const old = this.idle.findIndex((idle) => idle.since > since);
    const gone = this.idle.splice(0, old === -1 ? this.idle.length : old);
    for (const { upstream } of gone) upstream.destroy();
    return this.all.size + this.opening + this.waiting.size > 0;
  }

  close(): void {
    for (const upstream of this.all) upstream.destroy();
    this.idle.length = 0;
  }

  private async connect(): Promise<Http1Upstream> {
    this.opening++;
    this.budget.connections++;
    try {
      const reads = new ReusedReads();
      const socket = await this.open(reads.onread);
      const upstream: Http1Upstream = new Http1Upstream(socket, reads, {
        onIdle: () => this.onIdle(upstream),
        onClosed: () => this.onClosed(upstream),
      });
      this.all.add(upstream);
      return upstream;
    } catch (error) {
      this.budget.connections--;
      this.serveNext();
      throw error;
    } finally {
      this.opening--;
    }
  }

  private onIdle(upstream: Http1Upstream): void {
    const { requestsPerConnection, connectionDurationMs } = this.budget.limits;
    if (
      upstream.requests >= requestsPerConnection ||
      performance.now() - upstream.openedAt > connectionDurationMs
    ) {
      return upstream.destroy();
    }
    const next = this.takeWaiting();
    if (next !== undefined) return next.resolve(upstream);
    if (this.idle.length >= mostIdle) return upstream.destroy();
    this.idle.push({ upstream, since: performance.now() });
  }

  private onClosed(upstream: Http1Upstream): void {
    if (!this.all.delete(upstream)) return;
    this.budget.connections--;
    const at = this.idle.findIndex((idle) => idle.upstream === upstream);
    if (at !== -1) this.idle.splice(at, 1);
    this.serveNext();
  }

  /** There is room for a connection more. */
  private serveNext(): void {
    const next = this.takeWaiting();
    if (next !== undefined) this.connect().then(next.resolve, next.reject);
  }

  private takeWaiting(): Waiting | undefined {
    // Behind each request: no iterator is made where nobody waits.
    const first = this.waiting.size === 0 ? undefined : this.waiting.entries().next().value;
    if (first === undefined) return undefined;
    const [promised, next] = first;
    this.giveUp(promised);
    return next;
  }
}
