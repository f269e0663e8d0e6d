import type {
  Relay,
  RelayEdge,
  RelayNetwork,
  RelayObservation,
  RelayPolicy,
  RelayPorts,
  StartRelay,
} from "./relay.ts";

/** A relay without a process or sockets: what it is told can be seen, and it ends when it is told to. */
export class StandInRelay implements Relay {
  /** Undefined: what an earlier agent has told it. */
  policy: RelayPolicy | undefined;
  readonly networks = new Map<bigint, string>();
  edges: RelayEdge[] = [];
  observation: RelayObservation | undefined;
  isClosed = false;
  loaded: Promise<void> = Promise.resolve();
  readonly end: (why: string) => void;

  constructor(end: (why: string) => void) {
    this.end = end;
  }

  setPolicy(policy: RelayPolicy): Promise<void> {
    this.policy = policy;
    return Promise.resolve();
  }

  takePolicyBack(): Promise<void> {
    this.policy = undefined;
    return Promise.resolve();
  }

  addNetwork({ cookie, path }: RelayNetwork): Promise<RelayPorts> {
    if (path === "") return Promise.reject(new Error("nowhere"));
    this.networks.set(cookie, path);
    return Promise.resolve({ port4: 4000 + Number(cookie), port6: 0 });
  }

  removeNetwork(cookie: bigint): Promise<void> {
    this.networks.delete(cookie);
    return Promise.resolve();
  }

  counters(): Promise<readonly RelayEdge[]> {
    return Promise.resolve(this.edges);
  }

  observe(wanted: RelayObservation | undefined): Promise<void> {
    this.observation = wanted;
    return Promise.resolve();
  }

  status() {
    return { pid: 1, networks: this.networks.size, connections: 0, requests: 0n };
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }
}

/** Starts such relays, and shows all that were started. */
export function standIns(): {
  readonly started: StandInRelay[];
  readonly start: StartRelay;
  /** Such a relay of an earlier agent, which listens in a network. */
  readonly inheritedIn: (cookie: bigint) => StartRelay;
} {
  const started: StandInRelay[] = [];
  return {
    started,
    inheritedIn:
      (cookie) =>
      ({ onExit }) => {
        const relay = Object.assign(new StandInRelay(onExit), { inherited: new Set([cookie]) });
        relay.networks.set(cookie, "/before");
        started.push(relay);
        return Promise.resolve(relay);
      },
    start: ({ onExit }) => {
      const relay = new StandInRelay(onExit);
      started.push(relay);
      return Promise.resolve(relay);
    },
  };
}
