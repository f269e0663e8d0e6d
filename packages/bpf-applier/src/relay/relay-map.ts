import { relayValue } from "@keelson/bpf";
import type { BpfMap } from "bpf-maps-native";
import { cookieKey, cookieOf } from "./cookie-key.ts";
import type { RelayPorts } from "./relay.ts";

/** The map by which programs find the relay, by the cookie of a network namespace. */
export class RelayMap {
  private readonly map: BpfMap;

  constructor(map: BpfMap) {
    this.map = map;
  }

  set(network: bigint, { port4, port6 }: RelayPorts): void {
    this.map.update(cookieKey(network), relayValue.encode({ port4, port6 }));
  }

  remove(network: bigint): void {
    this.map.delete(cookieKey(network));
  }

  /** All that stand in it, also what another process has left. */
  async networks(): Promise<bigint[]> {
    const { count, keys } = await this.map.batchLookup();
    return Array.from({ length: count }, (_, i) => cookieOf(keys.subarray(i * 8, (i + 1) * 8)));
  }

  /** Also what another process has left in it. */
  async clear(): Promise<void> {
    for (const network of await this.networks()) this.remove(network);
  }
}
