import type { Upstream } from "../message.ts";
import { type Budget, type Open, Overflow, type UpstreamPool } from "../upstream-pool.ts";
import { Http2Place } from "./http2-exchange.ts";
import { Http2Link } from "./http2-link.ts";

/** Somebody who waits for a place. */
interface Wait {
  /** It has one, or wants none any more. */
  isOver: boolean;
}

/** Connections for many requests at once: a second one is opened only when the first has no place. */
export class Http2Pool implements UpstreamPool {
  private readonly open: Open;
  private readonly budget: Budget;
  private readonly links = new Set<Http2Link>();
  private readonly waits = new WeakMap<Promise<Upstream>, Wait>();
  /** Those for whom no connection is opened, and how to wake them. */
  private waiting = new Map<Wait, () => void>();
  private opening: Promise<Http2Link> | undefined;

  constructor(open: Open, budget: Budget) {
    this.open = open;
    this.budget = budget;
  }

  acquire(fresh: boolean): Upstream | Promise<Upstream> {
    const found = fresh ? undefined : this.findPlace();
    if (found !== undefined) return found;
    const { pending, limits } = this.budget;
    if (pending >= limits.pendingRequests) {
      throw new Overflow(`${pending} requests wait, the most that are allowed`);
    }
    this.budget.pending++;
    const wait = { isOver: false };
    const promised = this.waitForPlace(wait);
    this.waits.set(promised, wait);
    return promised;
  }

  giveUp(promised: Promise<Upstream>): void {
    const wait = this.waits.get(promised);
    if (wait === undefined) return;
    this.waiting.delete(wait);
    this.endWait(wait);
  }

  giveBack(upstream: Upstream): void {
    if (upstream instanceof Http2Place) upstream.link.free();
  }

  closeIdle(since: number): boolean {
    for (const link of this.links) if (link.underWay === 0 && link.idleSince <= since) link.close();
    return this.links.size > 0 || this.opening !== undefined || this.waiting.size > 0;
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

  private async waitForPlace(wait: Wait): Promise<Http2Place> {
    const { budget } = this;
    try {
      for (;;) {
        const mayOpen = budget.connections < budget.limits.connections || this.links.size === 0;
        if (this.opening !== undefined || mayOpen) await this.connect();
        else await new Promise<void>((resolve) => this.waiting.set(wait, resolve));
        if (wait.isOver) throw new Error("nobody waits for the place any more");
        const found = this.findPlace();
        if (found !== undefined) return found;
      }
    } finally {
      this.endWait(wait);
    }
  }

  private endWait(wait: Wait): void {
    if (wait.isOver) return;
    wait.isOver = true;
    this.budget.pending--;
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
    this.waiting = new Map();
    for (const resolve of waiting.values()) resolve();
  }
}
