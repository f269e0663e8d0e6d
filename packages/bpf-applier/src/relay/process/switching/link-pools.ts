import { closeSync } from "node:fs";
import { Socket } from "node:net";
import type { PoolKey } from "@keelson/bpf";
import { setSendBuffer, socketCookie } from "bpf-maps-native";
import { mostWaiting } from "../splice.ts";
import type { Conversation, LinkOwner } from "./conversation.ts";
import type { SwitchingKernel } from "./kernel.ts";
import { Link } from "./link.ts";

/** Room for what a link sends, in bytes: programs send a request of up to 64 KiB only where it fits with all that it costs. */
const sendBuffer = 262_144;
/** Connections to one endpoint that are being opened at a time. */
const mostOpening = 64;
/** Time for which nothing is opened to an endpoint that could not be reached, in milliseconds. */
const unreachableMs = 1_000;
/** How long before a server would close an idle connection the relay does, in milliseconds. */
const aheadOfServerMs = 1_000;

export interface PoolBounds {
  /** Links in one pool, 1–256 (POOL_LINKS in bpf/switching/maps.h). */
  readonly mostLinks: number;
  /** After so many milliseconds without a request a link is closed. */
  readonly idleMs: number;
}

export const defaultBounds: PoolBounds = { mostLinks: 256, idleMs: 30_000 };

/** Where links of a pool lead, and how one is opened. */
export interface LinkTarget {
  readonly pool: PoolKey;
  /** "address:port" of the endpoint. */
  readonly address: string;
  /** A connected socket's descriptor, in the caller's network. */
  readonly open: () => Promise<number>;
  /** Seconds after which the server closes idle connections, if it says so. */
  readonly keepAlive: number | undefined;
}

interface Pool {
  readonly key: PoolKey;
  readonly address: string;
  /** Links with the time of their last request as far as it is known, in milliseconds of CLOCK_MONOTONIC. */
  readonly links: Map<Link, number>;
  opening: number;
  idleMs: number;
  notBefore: number;
}

/** The links to endpoints that programs use: opened where one was missing, and closed when they are not used any more. */
export class LinkPools implements LinkOwner {
  private readonly kernel: SwitchingKernel;
  private readonly bounds: PoolBounds;
  private readonly conversationOf: (caller: bigint) => Conversation | undefined;
  private readonly pools = new Map<string, Pool>();
  private readonly links = new Map<bigint, Link>();
  private closed = false;

  constructor(
    kernel: SwitchingKernel,
    bounds: PoolBounds,
    conversationOf: (caller: bigint) => Conversation | undefined,
  ) {
    this.kernel = kernel;
    this.bounds = bounds;
    this.conversationOf = conversationOf;
  }

  /** A request was the relay's for want of a link: one more is opened, within the bounds. */
  async want(target: LinkTarget): Promise<void> {
    const pool = this.poolOf(target);
    if (target.keepAlive !== undefined)
      pool.idleMs = Math.min(this.bounds.idleMs, Math.max(0, target.keepAlive * 1000 - aheadOfServerMs));
    if (this.closed || pool.links.size + pool.opening >= this.bounds.mostLinks) return;
    if (pool.opening >= mostOpening || now() < pool.notBefore) return;
    pool.opening++;
    try {
      await this.open(pool, target.open);
    } catch {
      pool.notBefore = now() + unreachableMs;
    } finally {
      pool.opening--;
    }
  }

  async abandon(link: bigint, caller: bigint): Promise<void> {
    this.links.get(link)?.abandon(caller);
  }

  has(link: bigint): boolean {
    return this.links.has(link);
  }

  /** Closes links that were not used for long, and those to endpoints that are gone as far as they are idle. */
  async sweep(isThere: (address: string) => boolean): Promise<void> {
    for (const [text, pool] of this.pools) {
      const stays = isThere(pool.address);
      for (const [link, usedAt] of pool.links)
        if (!stays || this.isUnused(pool, link, usedAt)) await link.retire();
      if (pool.links.size > 0 || pool.opening > 0) continue;
      this.pools.delete(text);
      this.kernel.dropPool(pool.key);
    }
  }

  /** Ends all links of a network, or of all. */
  async close(network?: bigint): Promise<void> {
    if (network === undefined) this.closed = true;
    const pools = [...this.pools.values()].filter(
      ({ key }) => network === undefined || key.network === network,
    );
    await Promise.all(pools.flatMap(({ links }) => [...links.keys()].map((link) => link.end())));
  }

  private poolOf({ pool: key, address }: LinkTarget): Pool {
    const text = `${key.network} ${key.workload} ${key.endpoint}`;
    let pool = this.pools.get(text);
    if (pool === undefined) {
      pool = { key, address, links: new Map(), opening: 0, idleMs: this.bounds.idleMs, notBefore: 0 };
      this.pools.set(text, pool);
    }
    return pool;
  }

  private async open(pool: Pool, connect: () => Promise<number>): Promise<void> {
    const fd = await connect();
    const cookie = this.prepared(fd);
    const options = { fd, allowHalfOpen: true, highWaterMark: mostWaiting };
    const link = new Link({
      kernel: this.kernel,
      cookie,
      endpoint: pool.address,
      socket: new Socket(options),
      conversationOf: this.conversationOf,
      onGone: () => {
        this.links.delete(cookie);
        pool.links.delete(link);
      },
    });
    this.links.set(cookie, link);
    pool.links.set(link, now());
    if (this.closed || !(await this.kernel.addLink(cookie, pool.key))) await link.end();
  }

  /** @returns its cookie, under which programs hear it from now on */
  private prepared(fd: number): bigint {
    try {
      setSendBuffer(fd, sendBuffer);
      const cookie = socketCookie(fd);
      this.kernel.hear(cookie, fd);
      return cookie;
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  private isUnused(pool: Pool, link: Link, usedAt: number): boolean {
    if (now() - usedAt <= pool.idleMs) return false;
    const begun = Number((this.kernel.link(link.cookie)?.begun ?? 0n) / 1_000_000n);
    if (begun <= usedAt) return true;
    pool.links.set(link, begun);
    return now() - begun > pool.idleMs;
  }
}

/** Milliseconds of CLOCK_MONOTONIC, which programs write. */
const now = (): number => Number(process.hrtime.bigint() / 1_000_000n);
