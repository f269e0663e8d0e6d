import { type AnswerKey, answerKey, answerValue } from "@keelson/bpf";
import { type BpfMap, possibleCpus } from "bpf-maps-native";

/** What programs have counted of the requests of one edge that were answered alike. */
export interface AnswerCounts {
  /** First digit of the status. */
  readonly statusClass: number;
  requests: bigint;
  /** Of the answers' bodies. */
  bytes: bigint;
  /** Requests by the time until the answer had come: bucket, requests, bucket, requests, …, as `RelayEdge.latency`. */
  readonly latency: number[];
  /** The times of all of them together, in microseconds. */
  latencySumUs: bigint;
}

/** Those of one edge and route, with the edge's identifiers as in `edge_key`. */
export interface AnsweredEdge extends AnswerCounts {
  readonly source: bigint;
  readonly service: bigint;
  readonly endpoint: bigint;
  /** As in `answer_key`; 0: none. */
  readonly route: bigint;
}

interface Entry {
  readonly key: AnswerKey;
  readonly requests: bigint;
  readonly bytes: bigint;
  readonly microseconds: bigint;
}

/** Reads what programs count of answers, in one batch. */
export class AnswerReader {
  private readonly map: BpfMap;
  private readonly cpus = possibleCpus();

  constructor(map: BpfMap) {
    this.map = map;
  }

  /** By edge, route and status class. Counters never go down while the map lives. */
  async read(): Promise<AnsweredEdge[]> {
    const found = new Map<string, AnsweredEdge>();
    const entries = (await this.entries()).sort((a, b) => a.key.bucket - b.key.bucket);
    for (const { key, requests, bytes, microseconds } of entries) {
      const { source, service, endpoint, route, statusClass, bucket } = key;
      const name = [source, service, endpoint, route, statusClass].join(" ");
      let counts = found.get(name);
      if (counts === undefined) {
        const none = { requests: 0n, bytes: 0n, latency: [], latencySumUs: 0n };
        counts = { source, service, endpoint, route, statusClass, ...none };
        found.set(name, counts);
      }
      counts.requests += requests;
      counts.bytes += bytes;
      counts.latency.push(bucket, Number(requests));
      counts.latencySumUs += microseconds;
    }
    return [...found.values()];
  }

  /** Deletes the counters of edges and routes that are not known any more. */
  async prune(isKnown: (key: AnswerKey) => boolean): Promise<void> {
    const { keySize } = this.map.info;
    const { count, keys } = await this.map.batchLookup();
    for (let i = 0; i < count; i++) {
      const bytes = keys.subarray(i * keySize, (i + 1) * keySize);
      if (!isKnown(answerKey.decode(bytes))) this.map.delete(bytes);
    }
  }

  private async entries(): Promise<Entry[]> {
    const { keySize } = this.map.info;
    const { count, keys, values } = await this.map.batchLookup();
    return Array.from({ length: count }, (_, i) => {
      let requests = 0n;
      let bytes = 0n;
      let microseconds = 0n;
      for (let cpu = 0; cpu < this.cpus; cpu++) {
        const copy = answerValue.decode(values.subarray((i * this.cpus + cpu) * answerValue.size));
        requests += copy.requests;
        bytes += copy.bytes;
        microseconds += copy.microseconds;
      }
      return { key: answerKey.decode(keys.subarray(i * keySize)), requests, bytes, microseconds };
    });
  }
}
