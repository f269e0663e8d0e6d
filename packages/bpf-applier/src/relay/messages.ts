import type { RelayNetwork, RelayPorts, SeenRequests } from "./relay.ts";

/** What differs from the policy before, in messages' bytes; undefined: it is gone. */
export interface PolicyMessage {
  /** The policy before is none: what is not named is gone, too. */
  readonly isWhole: boolean;
  /** `ServicePort`s. */
  readonly services: ReadonlyMap<
    bigint,
    | { readonly hostname: string; readonly port: Uint8Array; readonly switchedRules: readonly number[] }
    | undefined
  >;
  /** `EndpointSet`s. */
  readonly endpointSets: ReadonlyMap<string, Uint8Array | undefined>;
  /** `Workload`s. */
  readonly workloads: ReadonlyMap<bigint, Uint8Array | undefined>;
}

/** Counters as they travel. */
export interface EdgeMessage {
  readonly workload: bigint;
  readonly service: bigint;
  readonly endpoint: string;
  readonly route: string;
  readonly statusClass: number;
  readonly requests: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** Bucket, requests, bucket, requests, …; only those that are not empty. */
  readonly latency: readonly number[];
  readonly latencySumUs: number;
}

/** What a relay has at the moment. */
export interface StatusMessage {
  readonly networks: number;
  readonly connections: number;
  readonly requests: number;
  /** Connections that were closed before anything was passed on, by the reason. */
  readonly refused: Readonly<Record<string, number>>;
}

/** What the agent may ask of its relay, and what is answered. */
export interface Calls {
  setPolicy: { question: PolicyMessage; answer: undefined };
  /** The policy before the last one, which was whole, counts again. */
  takePolicyBack: { question: undefined; answer: undefined };
  addNetwork: { question: RelayNetwork; answer: RelayPorts };
  removeNetwork: { question: bigint; answer: undefined };
  counters: { question: undefined; answer: readonly EdgeMessage[] };
  /** One request of so many; 0: none. */
  observe: { question: number; answer: undefined };
  /** Milliseconds that callers are given to go. */
  close: { question: number; answer: undefined };
  /** Leaves all that it has to the relay that comes next; milliseconds that requests under way are given to end. */
  handOver: { question: number; answer: undefined };
}

export type CallName = keyof Calls;

/** What a relay says first to an agent. */
export interface Hello {
  readonly kind: "hello";
  /** What it was told at its start, see `--identity`. */
  readonly identity: string;
  readonly pid: number;
  /** Cookies of the networks that it listens in. */
  readonly networks: readonly bigint[];
}

/** Agent to relay. */
export interface Question<Name extends CallName = CallName> {
  /** The answer bears the same. */
  readonly id: number;
  readonly call: Name;
  readonly question: Calls[Name]["question"];
}

/** Relay to agent. */
export type RelayMessage =
  | Hello
  /** The first word to the agent that has started it; it begins, and says hello, when it is asked something. */
  | { readonly kind: "loaded" }
  | { readonly kind: "answer"; readonly id: number; readonly answer: Calls[CallName]["answer"] }
  | { readonly kind: "error"; readonly id: number; readonly message: string }
  /** While requests are observed, several times a second. */
  | { readonly kind: "requests"; readonly seen: SeenRequests }
  /** At most once a second, when it changed. */
  | { readonly kind: "status"; readonly status: StatusMessage };
