import type { Endpoint, Workload } from "@keelson/protos/policy";
import type { TrafficPolicy } from "@keelson/protos/traffic-policy";

/** Names and values one after the other, as Node's `rawHeaders`: in the sender's order and spelling. */
export type RawHeaders = readonly string[];

/** What a request says of itself before its content. */
export interface RequestHead {
  readonly method: string;
  /** The target as sent, with its query; also in absolute form. */
  readonly path: string;
  /** Host or `:authority`; empty: none given. */
  readonly authority: string;
  readonly scheme: "http" | "https";
  /**
   * Without pseudo headers; a Host header stands among them where one was sent, and the cookies of HTTP/2, which come in pieces,
   * are put together (RFC 9113, 8.2.3).
   */
  readonly rawHeaders: RawHeaders;
}

export interface Caller {
  /** Undefined: the relay does not know whose connection it is. */
  readonly workload: Workload | undefined;
  /** Its own, as text. */
  readonly address: string;
  readonly port: number;
}

/** A request as it goes to an endpoint. A Host header among `rawHeaders` says the same as `authority`. */
export interface RequestToSend {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly authority: string;
  readonly rawHeaders: RawHeaders;
}

/** Where requests go: endpoints, and what holds for calls to them. */
export interface DestinationRef {
  /** Equal for destinations that share a balancer. */
  readonly key: string;
  /** Resource name of the EndpointSet. */
  readonly endpointSet: string;
  readonly policy: TrafficPolicy | undefined;
}

/** How long an answer may be awaited. */
export interface TimeLimit {
  /** 1 or more; counted from when the request was received whole. */
  readonly milliseconds: number;
  /** Of the answer when it is over. */
  readonly status: 504;
  /** The same for who speaks gRPC: UNAVAILABLE by a rule, DEADLINE_EXCEEDED if it was the caller's own limit. */
  readonly grpcStatus: 4 | 14;
}

/** When an attempt that failed is followed by another one. */
export interface RetryPlan {
  /** Attempts after the first, at most; 1 or more. */
  readonly retries: number;
  /** Of each attempt, counted from when the request was sent to the end of the answer's head; 0: as long as the request. */
  readonly perTryTimeoutMs: number;
  /** Names as in Envoy's `retry_on`. */
  readonly conditions: ReadonlySet<string>;
  readonly statusCodes: ReadonlySet<number>;
  /** Base of the pause before an attempt; see `backoffMs`. */
  readonly backoffMs: number;
  /** Endpoints that were tried are left out, as long as another one is found soon. */
  readonly avoidsPrevious: boolean;
}

/** A copy of the request that nobody waits for; its content is that of the request. */
export interface Mirrored {
  readonly destination: DestinationRef;
  readonly request: RequestToSend;
  readonly hash: bigint | undefined;
}

/** What a request's head decides. */
export type Decision = Forward | Answer;

export interface Forward {
  readonly kind: "forward";
  /** Name of the route. */
  readonly route: string;
  /** Its number among those of the port, from 1 on. */
  readonly rule: number;
  readonly destination: DestinationRef;
  readonly request: RequestToSend;
  /** Key of consistent hashing; undefined: none. */
  readonly hash: bigint | undefined;
  /** A fault of the rule's: waited before anything is sent; 0: none. */
  readonly delayMs: number;
  /** Undefined: none. */
  readonly limit: TimeLimit | undefined;
  readonly retries: RetryPlan | undefined;
  readonly mirrors: readonly Mirrored[];
  /** What the caller gets for the headers of an endpoint's answer; the same list where nothing is changed. */
  readonly answerHeaders: (rawHeaders: RawHeaders) => RawHeaders;
  /** The same for an answer of the relay's own, where no endpoint gave one. */
  readonly ownAnswerHeaders: (rawHeaders: RawHeaders) => RawHeaders;
}

/** An answer of the relay's own. */
export interface Answer {
  readonly kind: "answer";
  /** Name of the route; empty: none matched. */
  readonly route: string;
  readonly status: number;
  /** With content-type where there is a body; without content-length and date. */
  readonly rawHeaders: RawHeaders;
  readonly body: Uint8Array;
  readonly delayMs: number;
}

/** How an attempt ended. */
export type Outcome =
  /** The head of an answer came. */
  | { readonly kind: "answer"; readonly status: number; readonly rawHeaders: RawHeaders }
  /** There was no connection to be had: refused, unreachable, or too slow. */
  | { readonly kind: "connectFailure" }
  /** HTTP/2: the endpoint said that it did not look at the request (REFUSED_STREAM, or GOAWAY with a lower stream). */
  | { readonly kind: "refusedStream" }
  /** The connection or stream ended before an answer's head. */
  | { readonly kind: "reset"; readonly requestSent: boolean }
  /** The limit of the attempt, or of the request. */
  | { readonly kind: "timeout" }
  /** No place within the destination's limits. */
  | { readonly kind: "overflow" }
  /** The caller went away; says nothing of the endpoint. */
  | { readonly kind: "abandoned" };

export interface Choice {
  readonly hash: bigint | undefined;
  /** Endpoints of the attempts before; only where the plan avoids them. */
  readonly tried: readonly Endpoint[];
  /** 0 up to 1, as Math.random. */
  readonly random: () => number;
}

/** Chooses among the endpoints of a destination. */
export interface Balancer {
  readonly limits: Limits;
  /**
   * @param now milliseconds of a clock that does not go back
   * @returns undefined: there is no endpoint
   */
  pick(choice: Choice, now: number): Endpoint | undefined;
  /** A request is on its way to an endpoint; each call is followed by one of `ended`. */
  started(endpoint: Endpoint): void;
  ended(endpoint: Endpoint, outcome: Outcome, now: number): void;
}

/** Of a destination; Infinity: none. */
export interface Limits {
  /** Open connections. */
  readonly connections: number;
  /** Requests that wait for a connection. */
  readonly pendingRequests: number;
  /** Requests under way. */
  readonly requests: number;
  /** Attempts under way that are not the first of their request. */
  readonly retries: number;
  readonly requestsPerConnection: number;
  /** HTTP/2. */
  readonly streamsPerConnection: number;
  /** At most what a timer can count. */
  readonly connectTimeoutMs: number;
  /** After this a connection without requests is closed. */
  readonly idleTimeoutMs: number;
  /** After this a connection for bytes, on which none went either way, is closed. */
  readonly bytesIdleTimeoutMs: number;
  /** After this a connection takes no more requests; one for bytes is closed. */
  readonly connectionDurationMs: number;
}
