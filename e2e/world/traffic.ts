import type { Tally } from "./tally.ts";

/** What a pod sends. */
export interface ClientTask {
  /**
   * "http": one TCP connection and one GET each. "datagram": one UDP socket per sender that is never connected.
   * "connected-datagram": one connected UDP socket per exchange.
   */
  readonly kind: "http" | "datagram" | "connected-datagram";
  readonly host: string;
  readonly port: number;
  /** Of the URL; only HTTP has one. */
  readonly path: string;
  /** Dotted path of the field in the answer's JSON that says who answered. */
  readonly answer: string;
  /** Exchanges in all; without it, until told to stop. */
  readonly count?: number;
  /** Exchanges under way at once. */
  readonly concurrency: number;
  /** That a sender lets pass after each exchange. */
  readonly pauseMs: number;
  /** For each exchange. */
  readonly timeoutMs: number;
}

/** What came of it. */
export interface TrafficResult {
  /** Who answered, how often. */
  readonly answers: Tally;
  /** Why there was no answer, by the system's error code: "ECONNREFUSED", or else a text. */
  readonly failures: Tally;
  /** Addresses of the peer as the caller's sockets showed it. */
  readonly peers: Tally;
}

/** A target, and what differs from the defaults: HTTP, path "/", field "pod", 16 at once without pauses, 20 s for each exchange. */
export type Target = Pick<ClientTask, "host" | "port"> &
  Partial<Pick<ClientTask, "kind" | "path" | "answer" | "concurrency" | "pauseMs" | "timeoutMs">>;

export function clientTask(target: Target, count?: number): ClientTask {
  const defaults = {
    kind: "http",
    path: "/",
    answer: "pod",
    concurrency: 16,
    pauseMs: 0,
    timeoutMs: 20_000,
  } as const;
  return { ...defaults, ...target, ...(count === undefined ? {} : { count }) };
}
