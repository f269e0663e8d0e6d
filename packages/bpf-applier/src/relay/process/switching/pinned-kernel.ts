import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  type ExchangeValue,
  exchangeValue,
  type HandbackValue,
  handbackValue,
  type LinkValue,
  linkValue,
  type PoolKey,
  poolKey,
} from "@keelson/bpf";
import { BpfMap, BpfProgram } from "bpf-maps-native";
import { cookieKey, cookieOf } from "../../cookie-key.ts";
import { CommandProgram } from "./command-program.ts";
import type { Settlement, SwitchingKernel } from "./kernel.ts";

/** Of a caller of which programs have taken nothing yet. */
export const noExchange: ExchangeValue = {
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
  private readonly pools: BpfMap;
  private readonly command: CommandProgram;

  private constructor(folder: string) {
    const map = (name: string): BpfMap => BpfMap.openPinned(join(folder, name));
    this.homes = map(mapNames.homes);
    this.links = map(mapNames.links);
    this.callers = map(mapNames.callers);
    this.handbacks = map(mapNames.handbacks);
    this.linkValues = map(mapNames.linkValues);
    this.pools = map(mapNames.pools);
    this.command = new CommandProgram(BpfProgram.openPinned(join(folder, commandName)));
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
    // One that another relay had keeps what is known of it, and its place: something may be on its way there.
    if (this.homes.lookup(key) === undefined) this.homes.setSocket(key, socketFd);
    if (this.callers.lookup(key) === undefined)
      this.callers.update(key, exchangeValue.encode({ ...noExchange, source }));
  }

  leave(caller: bigint): void {
    const key = cookieKey(caller);
    this.handbacks.delete(key);
    this.callers.delete(key);
    this.homes.delete(key);
  }

  exchange(caller: bigint): ExchangeValue | undefined {
    const value = this.callers.lookup(cookieKey(caller));
    return value && exchangeValue.decode(value);
  }

  handBack(caller: bigint, upTo: HandbackValue): void {
    this.handbacks.update(cookieKey(caller), handbackValue.encode(upTo));
  }

  handback(caller: bigint): HandbackValue | undefined {
    const value = this.handbacks.lookup(cookieKey(caller));
    return value && handbackValue.decode(value);
  }

  takeBack(caller: bigint): void {
    this.handbacks.delete(cookieKey(caller));
  }

  settle(caller: bigint): Promise<Settlement> {
    return this.command.settle(caller);
  }

  async exchanges(): Promise<Map<bigint, ExchangeValue>> {
    const { count, keys, values } = await this.callers.batchLookup();
    const found = new Map<bigint, ExchangeValue>();
    for (let i = 0; i < count; i++) {
      const value = values.subarray(i * exchangeValue.size, (i + 1) * exchangeValue.size);
      found.set(cookieOf(keys.subarray(i * 8, (i + 1) * 8)), exchangeValue.decode(value));
    }
    return found;
  }

  hear(link: bigint, socketFd: number): void {
    this.links.setSocket(cookieKey(link), socketFd);
  }

  addLink(link: bigint, pool: PoolKey): Promise<boolean> {
    return this.command.addLink(link, pool);
  }

  takeLink(link: bigint): Promise<boolean> {
    return this.command.takeLink(link);
  }

  release(link: bigint, isReusable: boolean): Promise<boolean> {
    return this.command.release(link, isReusable);
  }

  dropLink(link: bigint): Promise<void> {
    return this.command.dropLink(link);
  }

  link(link: bigint): LinkValue | undefined {
    const value = this.linkValues.lookup(cookieKey(link));
    return value && linkValue.decode(value);
  }

  idleLinks(pool: PoolKey): number {
    const value = this.pools.lookup(poolKey.encode(pool));
    // Behind the lock; see `struct pool` in bpf/switching/maps.h.
    return value === undefined ? 0 : new DataView(value.buffer, value.byteOffset).getUint32(4, true);
  }

  dropPool(pool: PoolKey): void {
    this.pools.delete(poolKey.encode(pool));
  }

  async clean(): Promise<void> {
    for (const map of [this.handbacks, this.callers]) await removeWithout(map, this.homes);
    const used = new Set<string>();
    for (const key of await keysOf(this.linkValues)) {
      const value = this.linkValues.lookup(key);
      if (this.links.lookup(key) === undefined) await this.removeLink(cookieOf(key));
      else if (value !== undefined) used.add(textOf(poolKey.encode(linkValue.decode(value))));
    }
    for (const key of await keysOf(this.pools)) if (!used.has(textOf(key))) this.pools.delete(key);
  }

  private async removeLink(link: bigint): Promise<void> {
    await this.takeLink(link);
    await this.dropLink(link);
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
