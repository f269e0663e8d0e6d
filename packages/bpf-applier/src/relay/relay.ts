import type { EndpointSet, ServicePort, Workload } from "@keelson/protos/policy";

/** A service port whose requests the relay decides. */
export interface RelayService {
  readonly hostname: string;
  readonly port: ServicePort;
  /** Numbers of the port's routes, from 1 on, whose requests programs may take off the way to the relay; none: all are the relay's. */
  readonly switchedRules: readonly number[];
}

/** What a relay answers by. Identifiers are those of the maps (identifierOf). */
export interface RelayPolicy {
  /**
   * By `service` of `origin_value`. A port that has lost its routes stays, for the connections that are there: requests on
   * them go to the port's `destinations`.
   */
  readonly services: ReadonlyMap<bigint, RelayService>;
  /** All sets that these services name. */
  readonly endpointSets: ReadonlyMap<string, EndpointSet>;
  /** Those of this node, by `workload` of `origin_value`. */
  readonly workloads: ReadonlyMap<bigint, Workload>;
}

/** A network namespace in which there are callers. */
export interface RelayNetwork {
  /** As programs know it (`bpf_get_netns_cookie`). */
  readonly cookie: bigint;
  /** Where it can be entered, such as "/proc/123/fd/9"; it stays until the network is removed. */
  readonly path: string;
}

/** Where a relay listens in a network namespace; 0: not there, such as on ::1 of one without IPv6. */
export interface RelayPorts {
  /** On 127.0.0.1. */
  readonly port4: number;
  /** On ::1. */
  readonly port6: number;
}

/** Counters of a relay since it started. */
export interface RelayEdge {
  readonly workload: bigint;
  readonly service: bigint;
  /** "address:port"; empty: the relay answered by itself. */
  readonly endpoint: string;
  /** Name of the route; empty: none matched. */
  readonly route: string;
  /** First digit of the status. */
  readonly statusClass: 1 | 2 | 3 | 4 | 5;
  readonly requests: bigint;
  /** Of bodies, from the caller. */
  readonly bytesSent: bigint;
  /** Of bodies, to the caller. */
  readonly bytesReceived: bigint;
  /**
   * Requests by the time from their head to the end of the answer: bucket, requests, bucket, requests, …, empty ones left out.
   * `process/latency-buckets.ts` says which times a bucket holds.
   */
  readonly latency: readonly number[];
  /** The times of all these requests together, in microseconds. */
  readonly latencySumUs: bigint;
}

/** A request that has ended. */
export interface RelayRequest {
  /** When it ended: milliseconds since the epoch. */
  readonly endedAt: number;
  /** This and the next three: as in {@link RelayEdge}. */
  readonly workload: bigint;
  readonly service: bigint;
  readonly endpoint: string;
  readonly route: string;
  readonly method: string;
  /** As the caller sent it, with its query. */
  readonly path: string;
  readonly status: number;
  /** From its head to the end of the answer. */
  readonly microseconds: number;
  /** Of bodies, from the caller. */
  readonly bytesSent: number;
  /** Of bodies, to the caller. */
  readonly bytesReceived: number;
}

export interface SeenRequests {
  readonly requests: readonly RelayRequest[];
  /** Those that should be here, but came faster than they were read. */
  readonly lost: number;
}

/** What is to be seen of single requests. */
export interface RelayObservation {
  /** One of so many, drawn at random; at least 1. */
  readonly every: number;
  readonly onRequests: (seen: SeenRequests) => void;
}

export interface RelayStatus {
  /** Undefined: it does not run at the moment. */
  readonly pid?: number;
  readonly networks: number;
  /** Open ones of callers. */
  readonly connections: number;
  /** Since it started. */
  readonly requests: bigint;
  /** Connections that it closed before anything was passed on, by the reason, since it started; undefined: it does not count them. */
  readonly refused?: Readonly<Record<string, number>>;
}

/** What answers each request of the connections that are not decided once. */
export interface Relay {
  /** Resolves when its program is loaded. What it is asked first after that has it begin: until then its end costs nothing. Left out: it is. */
  readonly loaded?: Promise<void>;
  /** Networks that it listens in already, as an earlier agent has told it; by cookie. Left out: none. */
  readonly inherited?: ReadonlySet<bigint>;
  /** Whole policy of the ports with a relay home; replaces the one before at once. A request that has begun keeps its route. */
  setPolicy(policy: RelayPolicy): Promise<void>;
  /** What an earlier agent has told it counts again, in place of the first policy of this one. Left out: it cannot be `inherited`. */
  takePolicyBack?(): Promise<void>;
  /** Listens in a network namespace on 127.0.0.1 and ::1. @throws Error if it can on neither. */
  addNetwork(network: RelayNetwork): Promise<RelayPorts>;
  removeNetwork(cookie: bigint): Promise<void>;
  counters(): Promise<readonly RelayEdge[]>;
  /** Tells of single requests from now on, in place of what was wanted before; undefined: of none. */
  observe(wanted: RelayObservation | undefined): Promise<void>;
  status(): RelayStatus;
  close(): Promise<void>;
  /** Ends it as `close` does, but with all that can be left to the relay that is started next. Left out: nothing can. */
  giveWay?(): Promise<void>;
  /** It goes on for the agent that comes next, which must come soon. Left out: it cannot. */
  leave?(): void;
}

export interface RelayStart {
  /** Told once, with the reason, when it is gone without having been closed. */
  readonly onExit: (why: string) => void;
  /** Folder of the pins by which programs take requests off the way to the relay; undefined: they do not. */
  readonly switching?: string;
}

/** Starts the process of a relay. */
export type StartRelay = (start: RelayStart) => Promise<Relay>;
