// What the benchmark and its program of clients tell each other.

export interface CrowdOptions {
  readonly port: number;
  readonly variant: "delta" | "sotw";
  readonly clients: number;
  /** Clients are in these in turns. */
  readonly namespaces: number;
  /** How many may be on their way to have all at once. */
  readonly atOnce: number;
}

/** A change that is about to be made. */
export interface Expectation {
  readonly kind: "expect";
  readonly change: number;
  /** The cluster whose endpoints change, and an address that they have after it and did not before. */
  readonly cluster: string;
  readonly address: string;
}

export type FromCrowd =
  | {
      readonly kind: "up";
      /** From the first connection until the last client had acked all. */
      readonly milliseconds: number;
      readonly receivedBytes: number;
      /** Of all clients, of clusters with endpoints. */
      readonly clusters: number;
    }
  | { readonly kind: "expecting"; readonly change: number }
  | {
      readonly kind: "changed";
      readonly change: number;
      /** When each client that sees the cluster acked, in ms by the machine's monotonic clock. */
      readonly ackedAt: readonly number[];
    }
  | { readonly kind: "failed"; readonly why: string };

/** The machine's monotonic clock, in ms: the same for all processes. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;
