import { writeSync } from "node:fs";
import type { ExchangeValue, LinkValue, PoolKey } from "@keelson/bpf";
import { routeIdentifier } from "../../../../route-name.ts";
import type { Handback, Settlement, SwitchingKernel } from "../kernel.ts";
import { noExchange } from "../pinned-kernel.ts";

type Mutable<T> = { -readonly [Field in keyof T]: T[Field] };

/** More than the relay may have read. */
const notCounted = 2 ** 31;

const textOf = ({ network, workload, endpoint }: PoolKey): string => `${network} ${workload} ${endpoint}`;

/**
 * Maps in memory, and a test in the place of the programs: it says when a request is taken, and what becomes of its answer. The
 * sockets are real ones. What is left to the relay is not counted: links on which something was are read from then on.
 */
export class PlayedKernel implements SwitchingKernel {
  readonly homes = new Map<bigint, number>();
  readonly callers = new Map<bigint, Mutable<ExchangeValue>>();
  readonly handbacks = new Map<bigint, Handback>();
  readonly sockets = new Map<bigint, number>();
  readonly links = new Map<bigint, Mutable<LinkValue>>();
  readonly pools = new Map<string, bigint[]>();
  /** Callers that have not read what was moved to them. */
  readonly unread = new Set<bigint>();
  /** Callers whose sockets are closed. */
  readonly gone = new Set<bigint>();

  /** When it was asked whether a caller has settled, in milliseconds. */
  readonly looks: number[] = [];
  onPassed: SwitchingKernel["onPassed"] = () => {};
  /** Behind the release of a link, before the relay hears of it. */
  onReleased: (link: Mutable<LinkValue>) => void = () => {};
  /** Until then no link is released. */
  mayRelease: Promise<void> = Promise.resolve();

  // --- What programs do ---

  /** Programs see what the caller sends, and pass it: for want of a link, where none is idle. */
  lookAt(caller: bigint): void {
    const exchange = this.callers.get(caller);
    if (exchange === undefined) return;
    exchange.place = 1n;
    exchange.isMissed = [...this.pools.values()].every((links) => links.length === 0) ? 1 : 0;
  }

  /** Sends a request on the link that was used last. @returns its cookie */
  take(caller: bigint, request: string): bigint {
    const exchange = this.callers.get(caller);
    const link = [...this.pools.values()].flatMap((links) => links.splice(-1))[0];
    const value = link === undefined ? undefined : this.links.get(link);
    if (exchange === undefined || link === undefined || value === undefined || !this.handbacks.has(caller))
      throw new Error("programs could not take a request now");
    value.caller = caller;
    value.isHead = request.startsWith("HEAD ") ? 1 : 0;
    value.route = routeIdentifier("all");
    value.begun = process.hrtime.bigint();
    exchange.link = link;
    exchange.taken++;
    writeSync(this.sockets.get(link) ?? -1, request);
    return link;
  }

  /** All that comes on the link until the answer has ended is the relay's. */
  pass(link: bigint): void {
    this.valueOf(link).isPassed = 1;
    this.tell(link);
  }

  /** Bytes are left to the relay. */
  tell(link: bigint): void {
    Object.assign(this.valueOf(link), { passedEver: notCounted, isTold: 1 });
    this.onPassed(link);
  }

  /** Moves bytes of an answer to its caller, and ends it with the last ones. */
  move(link: bigint, bytes: string, isLast: boolean): void {
    const value = this.valueOf(link);
    const exchange = this.callers.get(value.caller);
    if (exchange === undefined) throw new Error("there is no caller to move to");
    exchange.promised += bytes.length;
    writeSync(this.homes.get(value.caller) ?? -1, bytes);
    if (!isLast) return;
    value.caller = 0n;
    exchange.link = 0n;
    this.pools.get(textOf(value))?.push(link);
  }

  // --- What the relay asks ---

  join(caller: bigint, socketFd: number, source: bigint): void {
    this.homes.set(caller, socketFd);
    if (!this.callers.has(caller)) this.callers.set(caller, { ...noExchange, caller, source });
  }

  leave(caller: bigint): void {
    for (const map of [this.homes, this.callers, this.handbacks]) map.delete(caller);
  }

  exchange(caller: bigint): ExchangeValue | undefined {
    const value = this.callers.get(caller);
    return value && { ...value };
  }

  handBack(caller: bigint, upTo: Handback): void {
    this.handbacks.set(caller, upTo);
  }

  handback(caller: bigint): Handback | undefined {
    return this.handbacks.get(caller);
  }

  takeBack(caller: bigint): void {
    this.handbacks.delete(caller);
  }

  settle(caller: bigint): Promise<Settlement> {
    this.looks.push(performance.now());
    const exchange = this.callers.get(caller);
    const settled = (): Settlement => {
      if (exchange === undefined || this.gone.has(caller)) return "gone";
      return exchange.link !== 0n || this.unread.has(caller) ? "moving" : "settled";
    };
    return Promise.resolve(settled());
  }

  exchanges(): Promise<Map<bigint, ExchangeValue>> {
    return Promise.resolve(new Map(this.callers));
  }

  hear(link: bigint, socketFd: number): void {
    this.sockets.set(link, socketFd);
  }

  addLink(link: bigint, pool: PoolKey): Promise<boolean> {
    const none = {
      cookie: link,
      caller: 0n,
      service: 0n,
      route: 0n,
      place: 0n,
      destination: 0n,
      tallyBorn: 0n,
      begun: 0n,
      end: 0,
      left: 0,
    };
    this.links.set(link, {
      ...none,
      ...pool,
      isHead: 0,
      isPassed: 0,
      status: 0,
      bytes: 0,
      heard: 0,
      passed: 0,
      passedEver: 0,
      isTold: 0,
    });
    this.pools.set(textOf(pool), [...(this.pools.get(textOf(pool)) ?? []), link]);
    return Promise.resolve(true);
  }

  runningProgramsEnd(): Promise<void> {
    return Promise.resolve();
  }

  takeLink(link: bigint): Promise<boolean> {
    for (const links of this.pools.values()) {
      const at = links.indexOf(link);
      if (at !== -1) return Promise.resolve(links.splice(at, 1).length > 0);
    }
    return Promise.resolve(false);
  }

  async release(link: bigint, isReusable: boolean): Promise<boolean> {
    await this.mayRelease;
    const value = this.links.get(link);
    if (value === undefined) return false;
    const exchange = this.callers.get(value.caller);
    if (exchange?.link === link) exchange.link = 0n;
    Object.assign(value, { caller: 0n, isPassed: 0, left: 0, isTold: 0 });
    if (isReusable) this.pools.get(textOf(value))?.push(link);
    this.onReleased(value);
    return true;
  }

  watchLink(): Promise<void> {
    return Promise.resolve();
  }

  dropLink(link: bigint): Promise<void> {
    this.links.delete(link);
    this.sockets.delete(link);
    return Promise.resolve();
  }

  link(link: bigint): LinkValue | undefined {
    const value = this.links.get(link);
    return value && { ...value };
  }

  idleLinks(pool: PoolKey): number {
    return this.pools.get(textOf(pool))?.length ?? 0;
  }

  dropPool(pool: PoolKey): void {
    this.pools.delete(textOf(pool));
  }

  clean(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private valueOf(link: bigint): Mutable<LinkValue> {
    const value = this.links.get(link);
    if (value === undefined) throw new Error(`there is no link ${link}`);
    return value;
  }
}
