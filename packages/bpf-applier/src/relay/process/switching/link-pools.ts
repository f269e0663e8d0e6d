import { closeSync } from "node:fs";
import { Socket } from "node:net";
import { type PoolKey, poolLinks } from "@keelson/bpf";
import { HangUps, setSendBuffer, socketCookie } from "bpf-maps-native";
import type { HeldLink } from "../holding/beside.ts";
import { mostWaiting } from "../splice.ts";
import type { Conversation, LinkOwner } from "./conversation.ts";
import type { SwitchingKernel } from "./kernel.ts";
import { LeftLink } from "./left-link.ts";
import { Link, type LinkOptions } from "./link.ts";

/** Room for what a link sends, in bytes: programs send a request of up to 64 KiB only where it fits with all that it costs. */
const sendBuffer = 262_144;
/** Connections to one endpoint that are being opened at a time. */
const mostOpening = 64;
/** Time for which nothing is opened to an endpoint that could not be reached, in milliseconds. */
const unreachableMs = 1_000;
/** How long before a server would close an idle connection the relay does, in milliseconds: one that is killed has a successor by then. */
const aheadOfServerMs = 2_000;

/** Callers of links that an earlier relay has left have come by then, in milliseconds: their connections are closed after 30 s. */
const callersComeMs = 35_000;
/** Links that are looked at in each sweep for bytes that nobody has told of. */
const lookedAtEach = 256;

/** Who keeps links beside this process. */
export interface LinkHolder {
  holdLink(fd: number, note: string): HeldLink;
}

export interface PoolBounds {
  /** Links in one pool, 1 to `poolLinks`. */
  readonly mostLinks: number;
  /** After so many milliseconds without a request a link is closed. */
  readonly idleMs: number;
}

export const defaultBounds: PoolBounds = { mostLinks: poolLinks, idleMs: 30_000 };

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

interface OpenLink extends Pick<LinkOptions, "fd" | "cookie" | "passedBefore"> {
  readonly held: HeldLink | undefined;
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
  private readonly holder: LinkHolder | undefined;
  private readonly hangUps = new HangUps((link) => this.links.get(link)?.hangUp());
  /** Those that are looked at next. */
  private next = this.links.values();
  /** Links of an earlier relay's on which callers have requests that are not here yet. */
  private readonly waiting = new Map<bigint, LeftLink>();
  private readonly waitUntil = now() + callersComeMs;
  private closed = false;

  constructor(
    kernel: SwitchingKernel,
    bounds: PoolBounds,
    conversationOf: (caller: bigint) => Conversation | undefined,
    holder?: LinkHolder,
  ) {
    this.holder = holder;
    this.kernel = kernel;
    this.bounds = bounds;
    this.conversationOf = conversationOf;
    kernel.onPassed = (link) => this.links.get(link)?.read();
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

  /** Links of an earlier relay's that are of use: who has a request on one finds it there, the others may be used at once. */
  resume(left: Iterable<LeftLink>): void {
    for (const link of left) {
      if (link.state === "busy") this.waiting.set(link.cookie, link);
      else this.putBack(link).catch(() => undefined);
    }
  }

  /** The caller that has a request on a link is here. */
  claim(link: bigint): void {
    const left = this.waiting.get(link);
    if (left !== undefined && this.waiting.delete(link)) this.goOn(left).catch(() => undefined);
  }

  async abandon(link: bigint, caller: bigint): Promise<void> {
    this.links.get(link)?.abandon(caller);
  }

  has(link: bigint): boolean {
    return this.links.has(link) || this.waiting.has(link);
  }

  /** Closes links that were not used for long, and those to endpoints that are gone as far as they are idle. */
  async sweep(isThere: (address: string) => boolean): Promise<void> {
    this.lookAtSome();
    for (const left of this.waiting.values()) await this.lookAt(left);
    for (const [text, pool] of this.pools) {
      const stays = isThere(pool.address);
      for (const [link, usedAt] of pool.links)
        if (!stays || this.isUnused(pool, link, usedAt)) await link.retire();
      // Links that wait may go back there.
      if (pool.links.size > 0 || pool.opening > 0 || this.waiting.size > 0) continue;
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
    const waiting = [...this.waiting.values()].filter(
      ({ cookie }) => network === undefined || this.kernel.link(cookie)?.network === network,
    );
    await Promise.all([
      ...pools.flatMap(({ links }) => [...links.keys()].map((link) => link.end())),
      ...waiting.map((left) => this.closeLeft(left)),
    ]);
    if (network === undefined) this.hangUps.close();
  }

  private lookAtSome(): void {
    for (let looks = 0; looks < lookedAtEach; looks++) {
      const { value, done } = this.next.next();
      if (done === true) {
        this.next = this.links.values();
        return;
      }
      value.lookAgain();
    }
  }

  /** Of one that waits for its caller: programs may have answered that, or it is gone. */
  private async lookAt(left: LeftLink): Promise<void> {
    const { cookie } = left;
    const caller = this.kernel.link(cookie)?.caller ?? 0n;
    if (this.conversationOf(caller) !== undefined) return this.claim(cookie);
    const isAwaited = (): boolean =>
      now() < this.waitUntil && this.kernel.exchange(this.kernel.link(cookie)?.caller ?? 0n)?.link === cookie;
    if (isAwaited()) return;
    this.waiting.delete(cookie); // nobody begins with it meanwhile
    const state = await left.look();
    if (state === "idle") return this.putBack(left);
    if (this.closed || state !== "busy" || !isAwaited()) return left.close();
    this.waiting.set(cookie, left);
  }

  private async closeLeft(left: LeftLink): Promise<void> {
    if (this.waiting.delete(left.cookie)) await left.close();
  }

  /** One that was idle, and is the relay's now. */
  private async putBack(left: LeftLink): Promise<void> {
    const begun = this.kernel.link(left.cookie)?.begun ?? 0n;
    // Its server may be about to close it.
    if (this.closed || now() - milliseconds(begun) > left.idleMs) return left.close();
    const link = this.begin(left);
    if (await this.kernel.release(left.cookie, true)) link?.rest();
    else await link?.end();
  }

  /** One with a caller's request. */
  private async goOn(left: LeftLink): Promise<void> {
    const link = this.begin(left);
    if (link === undefined) return;
    await this.kernel.watchLink(left.cookie);
    link.rest();
  }

  private begin(left: LeftLink): Link | undefined {
    const value = this.kernel.link(left.cookie);
    if (value === undefined) {
      left.close().catch(() => undefined);
      return undefined;
    }
    const { network, workload, endpoint, begun } = value;
    const pool = this.poolOf({ pool: { network, workload, endpoint }, address: left.address });
    pool.idleMs = Math.min(pool.idleMs, left.idleMs);
    const { cookie, held, passedBefore } = left;
    return this.keep(pool, { fd: held.fd, cookie, held, passedBefore }, milliseconds(begun));
  }

  private poolOf({ pool: key, address }: Pick<LinkTarget, "pool" | "address">): Pool {
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
    // First, so that what programs can take is held.
    const held = this.holder?.holdLink(fd, LeftLink.note(pool.address, pool.idleMs));
    const link = this.keep(pool, { fd, cookie, held, passedBefore: 0 }, now());
    if (!this.closed && (await this.kernel.addLink(cookie, pool.key))) link.rest();
    else await link.end();
  }

  private keep(pool: Pool, open: OpenLink, usedAt: number): Link {
    const { fd, cookie } = open;
    const options = { fd, allowHalfOpen: true, highWaterMark: mostWaiting };
    const socket = new Socket(options);
    const link = new Link({
      ...open,
      kernel: this.kernel,
      endpoint: pool.address,
      socket,
      conversationOf: this.conversationOf,
      onGone: () => {
        this.links.delete(cookie);
        pool.links.delete(link);
        if (!socket.destroyed) this.hangUps.delete(fd);
      },
    });
    this.links.set(cookie, link);
    pool.links.set(link, usedAt);
    try {
      this.hangUps.add(fd, cookie);
    } catch (error) {
      // Of its end nobody would be told.
      link.end().catch(() => undefined);
      throw error;
    }
    return link;
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
    const begun = milliseconds(this.kernel.link(link.cookie)?.begun ?? 0n);
    if (begun <= usedAt) return true;
    pool.links.set(link, begun);
    return now() - begun > pool.idleMs;
  }
}

/** Milliseconds of CLOCK_MONOTONIC, which programs write. */
const now = (): number => milliseconds(process.hrtime.bigint());

const milliseconds = (nanoseconds: bigint): number => Number(nanoseconds / 1_000_000n);
