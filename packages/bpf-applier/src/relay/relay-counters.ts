import type { RelayEdge } from "./relay.ts";

/** Adds up what relays tell that follow each other: each counts from 0, and what is told here never goes down. */
export class RelayCounters {
  /** Of relays that have ended. */
  private readonly past = new Map<string, RelayEdge>();
  private current: readonly RelayEdge[] = [];

  /** Takes over what the running relay has told. */
  take(told: readonly RelayEdge[]): void {
    this.current = told;
  }

  /** The running relay has ended: what it told last is all that is known of it. */
  keep(): void {
    for (const edge of this.current) this.past.set(keyOf(edge), this.withPast(edge));
    this.current = [];
  }

  all(): RelayEdge[] {
    const current = new Map(this.current.map((edge) => [keyOf(edge), this.withPast(edge)]));
    return [...new Map([...this.past, ...current]).values()];
  }

  private withPast(edge: RelayEdge): RelayEdge {
    const past = this.past.get(keyOf(edge));
    if (past === undefined) return edge;
    return {
      ...edge,
      requests: edge.requests + past.requests,
      bytesSent: edge.bytesSent + past.bytesSent,
      bytesReceived: edge.bytesReceived + past.bytesReceived,
      latency: sumOfBuckets(edge.latency, past.latency),
      latencySumUs: edge.latencySumUs + past.latencySumUs,
    };
  }
}

const keyOf = ({ workload, service, endpoint, route, statusClass }: RelayEdge): string =>
  [workload, service, endpoint, route, statusClass].join("\0");

/** Both as in {@link RelayEdge.latency}. */
export function sumOfBuckets(a: readonly number[], b: readonly number[]): number[] {
  const sums = new Map<number, number>();
  for (const list of [a, b]) {
    for (let at = 0; at < list.length; at += 2) {
      const bucket = list[at] ?? 0;
      sums.set(bucket, (sums.get(bucket) ?? 0) + (list[at + 1] ?? 0));
    }
  }
  return [...sums].sort(([x], [y]) => x - y).flat();
}
