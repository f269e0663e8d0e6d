import type { Upstream } from "../message.ts";
import { type Budget, type Open, Overflow, type UpstreamPool } from "../upstream-pool.ts";
import { Http2Place } from "./http2-exchange.ts";
import { Http2Link } from "./http2-link.ts";

/** Connections for many requests at once: a second one is opened only when the first has no place. */
export class Http2Pool implements UpstreamPool {
  private readonly open: Open;
  private readonly budget: Budget;
  private readonly links = new Set<Http2Link>();
  /** Those who wait for a place. */
  private waiting: (() => void)[] = [];
  private opening: Promise<Http2Link> | undefined;

  constructor(open: Open, budget: Budget) {
    this.open = open;
    this.budget = budget;
  }

  acquire(fresh: boolean): Upstream | Promise<Upstream> {
    const found = fresh ? undefined : this.findPlace();
    return found ?? this.waitForPlace();
  }

  giveBack(upstream: Upstream): void {
    if (upstream instanceof Http2Place) upstream.link.free();
  }

  closeIdle(since: number): boolean {
    for (const link of this.links) if (link.underWay === 0 && link.idleSince <= since) link.close();
    return this.links.size > 0 || this.opening !== undefined || this.waiting.length > 0;
  }

  close(): void {
    for (const link of this.links) link.destroy();
  }

  private findPlace(): Http2Place | undefined {
    const { streamsPerConnection, requestsPerConnection, connectionDurationMs } = this.budget.limits;
    const oldest = performance.now() - connectionDurationMs;
    for (const link of this.links) {
      if (!link.usable) continue;
      if (link.carried >= requestsPerConnection || link.openedAt < oldest) link.close();
      else if (link.underWay < Math.min(streamsPerConnection, link.mostAtOnce)) return new Http2Place(link);
    }
    return undefined;
  }

  private async waitForPlace(): Promise<Http2Place> {
    const { budget } = this;
    if (budget.pending >= budget.limits.pendingRequests) {
      throw new Overflow(`${budget.pending} requests wait, the most that are allowed`);
    }
    budget.pending++;
    try {
      for (;;) {
        const mayOpen = budget.connections < budget.limits.connections || this.links.size === 0;
        if (this.opening !== undefined || mayOpen) await this.connect();
        else await new Promise<void>((resolve) => this.waiting.push(resolve));
        const found = this.findPlace();
        if (found !== undefined) return found;
      }
    } finally {
      budget.pending--;
    }
  }

  /** All that wait at once wait for the same connection. */
  private async connect(): Promise<void> {
    this.opening ??= this.openLink().finally(() => {
      this.opening = undefined;
    });
    await this.opening;
  }

  private async openLink(): Promise<Http2Link> {
    this.budget.connections++;
    try {
      const socket = await this.open();
      const link: Http2Link = new Http2Link(
        socket,
        () => this.wake(),
        () => this.onClosed(link),
      );
      this.links.add(link);
      return link;
    } catch (error) {
      this.budget.connections--;
      throw error;
    }
  }

  private onClosed(link: Http2Link): void {
    if (this.links.delete(link)) this.budget.connections--;
    this.wake();
  }

  /** Places may be free: whoever finds none waits again. */
  private wake(): void {
    const { waiting } = this;
    this.waiting = [];
    for (const resolve of waiting) resolve();
  }
}
