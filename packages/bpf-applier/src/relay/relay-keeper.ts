import { Serial } from "../serial.ts";
import type {
  Relay,
  RelayEdge,
  RelayNetwork,
  RelayObservation,
  RelayPolicy,
  RelayStatus,
  StartRelay,
} from "./relay.ts";
import { RelayCounters } from "./relay-counters.ts";
import type { RelayMap } from "./relay-map.ts";
import { RelayNetworks } from "./relay-networks.ts";
import { emptyRelayPolicy } from "./relay-policy.ts";
import { timelyAnswer } from "./timely-answer.ts";

export interface RelayKeeperOptions {
  readonly start: StartRelay;
  /** As in {@link RelayStart}. */
  readonly switching?: string;
  readonly map: RelayMap;
  readonly onError: (what: string, error: Error) => void;
  /** Milliseconds, of its own time (OwnTime), after which a relay that does not answer is ended; 10,000 if left out. */
  readonly patienceMs?: number;
  /** Its listeners outlive it, and the next one has them: callers wait in them meanwhile. */
  readonly listenersLast?: boolean;
}

export interface RelayKeeperStatus extends RelayStatus {
  /** How often it was started again. */
  readonly restarts: number;
  /** Why it does not run, or did not the last time. */
  readonly endedBecause?: string;
  /** It is away, and who connects meanwhile is not answered by rules for requests, for as long as that connection lasts. */
  readonly bypassed?: true;
}

/** Time until a relay that ended is started again: doubled with each end, and from the beginning once it ran for long. */
const firstPauseMs = 100;
const longestPauseMs = 10_000;
const ranForLongMs = 5_000;
/** Callers wait in the listeners of a relay that has ended so long as the pause is below it: while it ends again and again, too long. */
const callersWaitBelowMs = 1_000;

const defaultPatienceMs = 10_000;
/** For its first answer a relay has to load its program: it is given twice the time with each start that was too slow. */
const mostStartPatience = 8;

/** How long a network that could not be listened in is left before the next attempt. */
const listenAgainMs = 1_000;

/** So many milliseconds after they were found, networks of an earlier agent's relay that nobody has named since are gone. */
const unclaimedMs = 10_000;

/**
 * Keeps a relay running that has the policy and listens in the networks that it was told of last, and tells programs where.
 * While it is away, programs are told of none, and connections are decided once; where its listeners last, only once it has
 * ended several times in a row.
 */
export class RelayKeeper {
  private readonly options: RelayKeeperOptions;
  private readonly counts = new RelayCounters();
  private readonly serial = new Serial();
  /** Undefined: the agent has heard of none. */
  private policy: RelayPolicy | undefined;
  private readonly networks: RelayNetworks;
  private observation: RelayObservation | undefined;
  private relay: Relay | undefined;
  private startedAt = 0;
  private starts = 0;
  private pauseMs = firstPauseMs;
  /** How many times the usual patience the next relay is given to start; it is kept, as the machine stays what it is. */
  private startPatience = 1;
  private endedBecause: string | undefined;
  private timer: NodeJS.Timeout | undefined;
  private unclaimedTimer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(options: RelayKeeperOptions) {
    this.options = options;
    this.networks = new RelayNetworks({
      map: options.map,
      answered: (relay, answer) => this.answered(relay, answer),
      isRunning: (relay) => relay === this.relay,
      onError: options.onError,
    });
  }

  /** Resolves when the relay runs, or could not be started, which is tried again. To be called once. */
  async start(): Promise<void> {
    await this.serial.run(async () => {
      await this.networks.adopt();
      await this.bringUp();
    });
    this.forgetUnclaimedLater();
  }

  /**
   * Resolves when a relay that runs answers by it; one that is started later begins with it.
   * @param policy undefined: in place of the first one, which is none after all, what an earlier agent has told its relay counts
   * @throws Error if the running one refuses it
   */
  setPolicy(policy: RelayPolicy | undefined): Promise<void> {
    return this.serial.run(async () => {
      const { relay, policy: before } = this;
      this.policy = policy;
      if (relay === undefined) return;
      await this.answered(relay, this.tell(relay)).catch((error: Error) => {
        // One that has just ended is followed by one that begins with it.
        if (relay !== this.relay) return;
        this.policy = before;
        throw error;
      });
    });
  }

  /** Makes the relay listen in these networks, and in no other. Resolves when it does, where it can. */
  setNetworks(networks: ReadonlyMap<bigint, RelayNetwork>): Promise<void> {
    return this.serial.run(async () => {
      this.networks.want(networks);
      await this.listen();
    });
  }

  /** Of all relays since the start. It is asked for them again and again, which is how one that hangs is found. */
  async counters(): Promise<readonly RelayEdge[]> {
    const { relay } = this;
    // One that ends meanwhile tells nothing more.
    const told = relay && (await this.answered(relay, relay.counters()).catch(() => undefined));
    if (told !== undefined && relay === this.relay) this.counts.take(told);
    return this.counts.all();
  }

  /** Tells of single requests, whichever relay runs, in place of what was wanted before; undefined: of none. */
  observe(wanted: RelayObservation | undefined): Promise<void> {
    return this.serial.run(async () => {
      this.observation = wanted;
      const { relay } = this;
      if (relay === undefined) return;
      await this.answered(relay, relay.observe(wanted)).catch((error: Error) => {
        // One that has just ended is followed by one that is told when it starts.
        if (relay === this.relay) throw error;
      });
    });
  }

  status(): RelayKeeperStatus {
    const { relay, endedBecause } = this;
    return {
      ...(relay?.status() ?? { networks: 0, connections: 0, requests: 0n }),
      restarts: Math.max(0, this.starts - 1),
      ...(endedBecause === undefined ? {} : { endedBecause }),
      ...(relay === undefined && !this.callersWait() ? { bypassed: true } : {}),
    };
  }

  /** Ends the relay; programs are told first. */
  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    await this.serial.run(async () => {
      const { relay } = this;
      this.relay = undefined;
      await this.options.map.clear();
      await relay?.close();
    });
  }

  /** Leaves the relay to the agent that comes next, where it can be left; else ends it. */
  async leave(): Promise<void> {
    const { relay } = this;
    if (relay?.leave === undefined) return this.close();
    this.closed = true;
    clearTimeout(this.timer);
    await this.serial.run(async () => relay.leave?.());
  }

  private async bringUp(): Promise<void> {
    if (this.closed || this.relay !== undefined) return;
    const before = await this.networks.startAnew(this.callersWait());
    this.starts += 1;
    this.startedAt = performance.now();
    let gone: string | undefined;
    let relay: Relay | undefined;
    try {
      const { start, switching } = this.options;
      const onExit = (why: string): void => {
        gone = why;
        this.onExit(why);
      };
      relay = await start({ onExit, ...(switching === undefined ? {} : { switching }) });
      if (relay.loaded !== undefined) await this.answered(relay, relay.loaded, this.startPatience);
      const inherited = relay.inherited ?? new Set();
      // One that was there already goes on by what it was told before, until the agent has heard of a policy.
      if (this.policy !== undefined || inherited.size === 0)
        await this.answered(relay, this.tell(relay), this.startPatience);
      if (this.observation !== undefined) await this.answered(relay, relay.observe(this.observation));
      if (gone !== undefined) return;
      this.relay = relay;
      this.networks.inherit(inherited);
      if (inherited.size > 0) this.forgetUnclaimedLater();
      await this.listen();
      this.networks.leave(before);
    } catch (error) {
      // Its exit has said so already.
      if (gone !== undefined) return;
      this.startPatience = Math.min(this.startPatience * 2, mostStartPatience);
      this.onExit((error as Error).message);
      if (relay !== undefined) await giveWay(relay);
    }
  }

  private tell(relay: Relay): Promise<void> {
    const isInherited = (relay.inherited?.size ?? 0) > 0;
    if (this.policy === undefined && isInherited) return relay.takePolicyBack?.() ?? Promise.resolve();
    return relay.setPolicy(this.policy ?? emptyRelayPolicy);
  }

  private onExit(why: string): void {
    this.relay = undefined;
    this.endedBecause = why;
    this.counts.keep();
    if (this.closed) return;
    if (performance.now() - this.startedAt > ranForLongMs) this.pauseMs = firstPauseMs;
    if (!this.callersWait()) {
      this.options.map
        .clear()
        .catch((error: Error) => this.options.onError("tell programs that the relay is away", error));
    }
    const meanwhile = this.callersWait()
      ? "callers wait"
      : "connections are decided once, without rules for requests";
    const again = `starting it in ${this.pauseMs} ms; until it runs ${meanwhile}`;
    this.options.onError("keep the relay running", new Error(`${why}; ${again}`));
    this.later(this.pauseMs, () => this.bringUp());
    this.pauseMs = Math.min(this.pauseMs * 2, longestPauseMs);
  }

  private callersWait(): boolean {
    return this.options.listenersLast === true && this.pauseMs < callersWaitBelowMs;
  }

  private async listen(): Promise<void> {
    const { relay } = this;
    if (relay === undefined) return;
    const refused = await this.networks.listen(relay);
    if (refused) this.later(listenAgainMs, () => this.listen());
  }

  private forgetUnclaimedLater(): void {
    clearTimeout(this.unclaimedTimer);
    this.unclaimedTimer = setTimeout(() => {
      this.serial
        .run(() => this.forgetUnclaimed())
        .catch((error: Error) => this.options.onError("leave networks that are gone", error));
    }, unclaimedMs).unref();
  }

  private async forgetUnclaimed(): Promise<void> {
    if (!this.closed) await this.networks.forgetUnclaimed(this.relay);
  }

  /** One that hangs is ended: the agent waits for nobody for long. */
  private async answered<T>(relay: Relay, answer: Promise<T>, times = 1): Promise<T> {
    const patienceMs = (this.options.patienceMs ?? defaultPatienceMs) * times;
    return timelyAnswer(
      answer,
      patienceMs,
      () => processesOf(relay),
      (why) => {
        if (relay !== this.relay) return;
        this.onExit(why);
        giveWay(relay).catch((error: Error) => this.options.onError("end the relay", error));
      },
    );
  }

  private later(ms: number, action: () => Promise<void>): void {
    clearTimeout(this.timer);
    if (this.closed) return;
    this.timer = setTimeout(() => {
      this.serial
        .run(action)
        .catch((error: Error) => this.options.onError("keep the relay as it should be", error));
    }, ms).unref();
  }
}

/** Ends one that another one follows. */
const giveWay = (relay: Relay): Promise<void> => relay.giveWay?.() ?? relay.close();

function processesOf(relay: Relay): number[] {
  const { pid } = relay.status();
  return pid === undefined ? [] : [pid];
}
