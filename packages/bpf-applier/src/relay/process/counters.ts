import { bucketCount, bucketOf } from "./latency-buckets.ts";

/** What is counted of the requests of one caller to one service port that ended alike. */
export interface RequestCounts {
  /** "address:port"; empty: the relay answered by itself. */
  readonly endpoint: string;
  /** Name of the route; empty: none matched. */
  readonly route: string;
  /** First digit of the status. */
  readonly statusClass: number;
  requests: number;
  /** Of bodies, from the caller. */
  bytesSent: number;
  /** Of bodies, to the caller. */
  bytesReceived: number;
  /** Requests by the time from their head to the end of the answer, as `latency-buckets.ts` cuts it. */
  readonly latency: Float64Array;
  /** The times of all of them together, in microseconds. */
  latencySumUs: number;
}

/** How a request ended. */
export interface EndedRequest {
  /** Of the endpoint that was tried last. */
  readonly endpoint: string;
  readonly route: string;
  /** 100–999. */
  readonly status: number;
  readonly microseconds: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

/** Counts the requests of one caller to one service port. */
export class EdgeCounters {
  private readonly byEnd = new Map<string, RequestCounts>();

  count(ended: EndedRequest): void {
    const statusClass = Math.min(5, Math.max(1, Math.floor(ended.status / 100)));
    const key = `${statusClass}${ended.endpoint} ${ended.route}`;
    let counts = this.byEnd.get(key);
    if (counts === undefined) {
      const { endpoint, route } = ended;
      const latency = new Float64Array(bucketCount);
      const none = { requests: 0, bytesSent: 0, bytesReceived: 0, latency, latencySumUs: 0 };
      counts = { endpoint, route, statusClass, ...none };
      this.byEnd.set(key, counts);
    }
    counts.requests++;
    counts.bytesSent += ended.bytesSent;
    counts.bytesReceived += ended.bytesReceived;
    counts.latencySumUs += ended.microseconds;
    const bucket = bucketOf(ended.microseconds);
    counts.latency[bucket] = (counts.latency[bucket] ?? 0) + 1;
  }

  counts(): Iterable<RequestCounts> {
    return this.byEnd.values();
  }
}
