import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  type ExchangeValue,
  exchangeValue,
  handbackValue,
  type LinkValue,
  linkValue,
  type PoolKey,
  poolKey,
  sealFactor,
} from "@keelson/bpf";
import { BpfMap, BpfProgram, RingBuffer } from "bpf-maps-native";
import { cookieKey, cookieOf } from "../../cookie-key.ts";
import { CommandProgram } from "./command-program.ts";
import { GracePeriod } from "./grace-period.ts";
import type { Handback, Settlement, SwitchingKernel } from "./kernel.ts";
import { LateRemoval } from "./late-removal.ts";
import { LeavingCallers } from "./leaving-callers.ts";

/** Of a caller of which programs have taken nothing yet. */
export const noExchange: ExchangeValue = {
  caller: 0n,
  link: 0n,
  place: 0n,
  lastLink: 0n,
  lastPlace: 0n,
  source: 0n,
  promised: 0,
  firstRead: 0,
  taken: 0,
  isMissed: 0,
  isQueued: 0,
  isBroken: 0,
};

const commandName = "command";
const mapNames = {
  homes: "homes",
  links: "links",
  callers: "exchanges",
  handbacks: "handbacks",
  linkValues: "link_values",
  passedLinks: "passed_links",
  answerScans: "answer_scans",
  pools: "pools",
};

const isPinned = (folder: string): boolean => existsSync(join(folder, commandName));

/** The maps and the program that the agent has pinned. */
export class PinnedKernel implements SwitchingKernel {
  private readonly homes: BpfMap;
  private readonly links: BpfMap;
  private readonly callers: BpfMap;
  private readonly handbacks: BpfMap;
  private readonly linkValues: BpfMap;
  private readonly answerScans: BpfMap;
  private readonly pools: BpfMap;
  private readonly passedLinks: RingBuffer;
  private readonly command: CommandProgram;
  private readonly gracePeriod = new GracePeriod();
  private readonly removal = new LateRemoval(() => this.runningProgramsEnd());
  private readonly leaving: LeavingCallers;
  /** Pools that are on their way out; each resolves when programs have been told. */
  private readonly dropping = new Map<string, Promise<void>>();
  onPassed: SwitchingKernel["onPassed"] = () => {};

  private constructor(folder: string) {
    const map = (name: string): BpfMap => BpfMap.openPinned(join(folder, name));
    this.homes = map(mapNames.homes);
    this.links = map(mapNames.links);
    this.callers = map(mapNames.callers);
    this.handbacks = map(mapNames.handbacks);
    this.linkValues = map(mapNames.linkValues);
    this.answerScans = map(mapNames.answerScans);
    this.pools = map(mapNames.pools);
    this.passedLinks = new RingBuffer(map(mapNames.passedLinks), (link) =>
      this.onPassed(cookieOf(link)),
    ).unref();
    this.command = new CommandProgram(BpfProgram.openPinned(join(folder, commandName)));
    this.leaving = new LeavingCallers(
      (callers) => this.command.leave(callers),
      (caller) => this.removal.add(this.callers, cookieKey(caller)),
    );
  }

  /** @returns undefined: there are no such programs on this node */
  static open(folder: string): PinnedKernel | undefined {
    return isPinned(folder) ? new PinnedKernel(folder) : undefined;
  }

  /** Pins of the maps that it has open; none where there are no such programs. */
  static maps(folder: string): string[] {
    return isPinned(folder) ? Object.values(mapNames).map((name) => join(folder, name)) : [];
  }

  join(caller: bigint, socketFd: number, source: bigint): void {
    const key = cookieKey(caller);
    const known = this.callers.lookup(key);
    if (known !== undefined && this.exchange(caller) === undefined)
      throw new Error(`caller ${caller}: what programs knew of its connection is being removed`);
    // One that another relay had keeps what is known of it, and its place: something may be on its way there.
    if (this.homes.lookup(key) === undefined) this.homes.setSocket(key, socketFd);
    if (known === undefined)
      this.callers.update(key, exchangeValue.encode({ ...noExchange, caller, source }), "create");
  }

  leave(caller: bigint): void {
    const key = cookieKey(caller);
    this.handbacks.delete(key);
    if (this.exchange(caller) !== undefined) this.leaving.add(caller);
    this.homes.delete(key);
  }

  exchange(caller: bigint): ExchangeValue | undefined {
    const value = this.callers.lookup(cookieKey(caller));
    const exchange = value && exchangeValue.decode(value);
    return exchange && this.isJoined(caller, exchange) ? exchange : undefined;
  }

  private isJoined(caller: bigint, exchange: ExchangeValue): boolean {
    return exchange.caller === caller && !this.leaving.has(caller);
  }

  handBack(caller: bigint, upTo: Handback): void {
    const both = (BigInt(upTo.read) << 32n) | BigInt(upTo.written);
    const seal = both ^ BigInt.asUintN(64, caller * sealFactor);
    this.handbacks.update(cookieKey(caller), handbackValue.encode({ ...upTo, seal }));
  }

  handback(caller: bigint): Handback | undefined {
    const value = this.handbacks.lookup(cookieKey(caller));
    return value && handbackValue.decode(value);
  }

  takeBack(caller: bigint): void {
    this.handbacks.delete(cookieKey(caller));
  }

  settle(caller: bigint): Promise<Settlement> {
    return this.leaving.has(caller) ? Promise.resolve("gone") : this.command.settle(caller);
  }

  async exchanges(): Promise<Map<bigint, ExchangeValue>> {
    const { count, keys, values } = await this.callers.batchLookup();
    const found = new Map<bigint, ExchangeValue>();
    for (let i = 0; i < count; i++) {
      const value = exchangeValue.decode(
        values.subarray(i * exchangeValue.size, (i + 1) * exchangeValue.size),
      );
      const caller = cookieOf(keys.subarray(i * 8, (i + 1) * 8));
      if (this.isJoined(caller, value)) found.set(caller, value);
    }
    return found;
  }

  hear(link: bigint, socketFd: number): void {
    this.links.setSocket(cookieKey(link), socketFd);
  }

  async addLink(link: bigint, pool: PoolKey): Promise<boolean> {
    return (await this.keepPool(poolKey.encode(pool))) && (await this.command.addLink(link, pool));
  }

  takeLink(link: bigint): Promise<boolean> {
    return this.command.takeLink(link);
  }

  release(link: bigint, isReusable: boolean): Promise<boolean> {
    return this.command.release(link, isReusable);
  }

  watchLink(link: bigint): Promise<void> {
    return this.command.watchLink(link);
  }

  async dropLink(link: bigint): Promise<void> {
    await this.command.dropLink(link);
    const key = cookieKey(link);
    // Whoever finds the link cleans up behind a relay that did not come to its end.
    this.removal.add(this.answerScans, key);
    this.removal.add(this.linkValues, key);
  }

  link(link: bigint): LinkValue | undefined {
    const bytes = this.linkValues.lookup(cookieKey(link));
    const value = bytes && linkValue.decode(bytes);
    return value?.cookie === link ? value : undefined;
  }

  idleLinks(pool: PoolKey): number {
    const value = this.pools.lookup(poolKey.encode(pool));
    // Behind the lock; see `struct pool` in bpf/switching/maps.h.
    return value === undefined ? 0 : new DataView(value.buffer, value.byteOffset).getUint32(4, true);
  }

  dropPool(pool: PoolKey): void {
    this.removePool(pool).catch(() => undefined); // it stays, and is removed with the next relay
  }

  runningProgramsEnd(): Promise<void> {
    return this.gracePeriod.pass();
  }

  async clean(): Promise<void> {
    await removeWithout(this.handbacks, this.homes);
    for (const key of await keysOf(this.callers)) {
      const isGone = this.homes.lookup(key) === undefined || this.exchange(cookieOf(key)) === undefined;
      if (isGone) this.removeCaller(key);
    }
    const used = new Set<string>();
    for (const key of await keysOf(this.linkValues)) {
      const value = this.link(cookieOf(key));
      if (value === undefined || this.links.lookup(key) === undefined) await this.removeLink(cookieOf(key));
      else used.add(textOf(poolKey.encode(value)));
    }
    for (const key of await keysOf(this.pools))
      if (!used.has(textOf(key))) await this.removePool(poolKey.decode(key));
    await this.leaving.settled();
    await this.removal.flush();
  }

  async close(): Promise<void> {
    await this.leaving.settled();
    await this.removal.close();
    this.passedLinks.close();
  }

  /** A relay before may have left it already. */
  private removeCaller(key: Uint8Array): void {
    const caller = cookieOf(key);
    if (this.exchange(caller) !== undefined) this.leaving.add(caller);
    else if (!this.leaving.has(caller)) this.removal.add(this.callers, key);
  }

  private async removeLink(link: bigint): Promise<void> {
    await this.takeLink(link);
    await this.dropLink(link);
  }

  private removePool(pool: PoolKey): Promise<void> {
    const key = poolKey.encode(pool);
    const text = textOf(key);
    const before = this.dropping.get(text);
    if (before !== undefined) return before;
    const dropped = this.drop(pool, key, () => this.dropping.delete(text));
    this.dropping.set(text, dropped);
    return dropped;
  }

  private async drop(pool: PoolKey, key: Uint8Array, onOver: () => void): Promise<void> {
    try {
      await this.command.dropPool(pool);
      this.removal.add(this.pools, key, onOver);
    } catch (error) {
      onOver();
      throw error;
    }
  }

  /** One that is on its way out stays, if it is wanted again before it is being removed; else it is gone then. @returns false: it is neither */
  private async keepPool(key: Uint8Array): Promise<boolean> {
    const text = textOf(key);
    await this.dropping.get(text)?.catch(() => undefined);
    if (this.removal.keep(this.pools, key)) this.dropping.delete(text);
    else if (this.dropping.has(text)) await this.removal.settled();
    return !this.dropping.has(text);
  }
}

const textOf = (key: Uint8Array): string => Buffer.from(key).toString("hex");

async function keysOf(map: BpfMap): Promise<Uint8Array[]> {
  const keys: Uint8Array[] = [];
  for await (const key of map.keys()) keys.push(key.slice());
  return keys;
}

/** Removes what stands in a map for sockets that are gone. */
async function removeWithout(map: BpfMap, sockets: BpfMap): Promise<void> {
  for (const key of await keysOf(map)) if (sockets.lookup(key) === undefined) map.delete(key);
}
