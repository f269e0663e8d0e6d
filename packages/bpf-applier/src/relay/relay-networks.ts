import type { Relay, RelayNetwork } from "./relay.ts";
import type { RelayMap } from "./relay-map.ts";

export interface RelayNetworksOptions {
  readonly map: RelayMap;
  /** Waits for what a relay answers, not for long. */
  readonly answered: <T>(relay: Relay, answer: Promise<T>) => Promise<T>;
  readonly isRunning: (relay: Relay) => boolean;
  readonly onError: (what: string, error: Error) => void;
}

/** The networks that a relay is to listen in, and those that it does listen in, of which programs are told. Its calls may not overlap. */
export class RelayNetworks {
  private readonly options: RelayNetworksOptions;
  private wanted: ReadonlyMap<bigint, RelayNetwork> = new Map();
  /** Those that the running relay listens in, with the path that it knows them by. */
  private readonly listening = new Map<bigint, string>();
  /** Those of an earlier agent's relay that were not named yet. */
  private readonly unclaimed = new Set<bigint>();

  constructor(options: RelayNetworksOptions) {
    this.options = options;
  }

  /** Takes over what an earlier agent has told programs. */
  async adopt(): Promise<void> {
    this.inherit(await this.options.map.networks());
  }

  /** Takes over networks in which an earlier agent has made a relay listen. */
  inherit(cookies: Iterable<bigint>): void {
    for (const cookie of cookies) this.unclaimed.add(cookie);
  }

  /** In these the relay is to listen, and in no other, from the next `listen` on. */
  want(networks: ReadonlyMap<bigint, RelayNetwork>): void {
    this.wanted = networks;
  }

  /**
   * The relay that is started next listens nowhere yet.
   * @param callersWait they wait in the listeners of the one before, of which programs go on to be told
   * @returns where the one before listened
   */
  async startAnew(callersWait: boolean): Promise<readonly bigint[]> {
    const before = [...this.listening.keys()];
    this.listening.clear();
    if (!callersWait) {
      this.unclaimed.clear();
      await this.options.map.clear();
    }
    return before;
  }

  /**
   * Resolves when the relay listens where it is to, as far as it can.
   * @returns whether it could not somewhere, which is to be tried again
   */
  async listen(relay: Relay): Promise<boolean> {
    const { map, answered, isRunning, onError } = this.options;
    for (const [cookie, path] of this.listening) {
      if (this.wanted.get(cookie)?.path === path) continue;
      // Whoever dials meanwhile is decided once.
      map.remove(cookie);
      this.listening.delete(cookie);
      await answered(relay, relay.removeNetwork(cookie));
    }
    let refused = false;
    for (const [cookie, network] of this.wanted) {
      if (this.listening.has(cookie)) continue;
      try {
        const ports = await answered(relay, relay.addNetwork(network));
        if (!isRunning(relay)) return false;
        map.set(cookie, ports);
        this.listening.set(cookie, network.path);
        this.unclaimed.delete(cookie);
      } catch (error) {
        if (!isRunning(relay)) return false;
        refused = true;
        onError(`listen in the network ${network.path}`, error as Error);
      }
    }
    return refused;
  }

  /** Tells programs no more of those among these that the running relay does not listen in. */
  leave(before: Iterable<bigint>): void {
    for (const cookie of before) if (!this.listening.has(cookie)) this.options.map.remove(cookie);
  }

  /** What was taken over and nobody has named since is gone. */
  async forgetUnclaimed(relay: Relay | undefined): Promise<void> {
    const { map, answered } = this.options;
    for (const cookie of this.unclaimed) {
      map.remove(cookie);
      if (relay?.inherited?.has(cookie) === true) await answered(relay, relay.removeNetwork(cookie));
    }
    this.unclaimed.clear();
  }
}
