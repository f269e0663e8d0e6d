import { create } from "@bufbuild/protobuf";
import { edgeKey, edgeValue, statistics } from "@keelson/bpf";
import {
  type AnsweredRequests,
  AnsweredRequestsSchema,
  type Edge,
  EdgeSchema,
} from "@keelson/protos/telemetry";
import { type BpfMap, possibleCpus } from "bpf-maps-native";
import { type AnsweredEdge, AnswerReader } from "./answer-reader.ts";
import type { EdgeEnds, EdgeNames } from "./edge-names.ts";
import { workloadIdentifier } from "./pods/pod-map.ts";
import type { RelayEdge } from "./relay/relay.ts";
import { sumOfBuckets } from "./relay/relay-counters.ts";
import type { Named } from "./service-table.ts";

/** Node-wide counters, by the names in bpf/layout/enumerations.ts. */
export type Statistics = Record<(typeof statistics)[number], bigint>;

const counterNames = ["connections", "datagrams", "refused", "sentRequests", "sentRequestBytes"] as const;
type Counters = Record<(typeof counterNames)[number], bigint>;

/** Sums the per-CPU copies of one value; the kernel lays them out at multiples of 8 bytes. */
function sumEdge(bytes: Uint8Array, cpus: number): Counters {
  const stride = Math.ceil(edgeValue.size / 8) * 8;
  const copies = Array.from({ length: cpus }, (_, cpu) => edgeValue.decode(bytes.subarray(cpu * stride)));
  const sumOf = (name: keyof Counters): bigint => copies.reduce((sum, copy) => sum + copy[name], 0n);
  return Object.fromEntries(counterNames.map((name) => [name, sumOf(name)])) as Counters;
}

/** Reads the edges' counters, each map in one batch. */
export class EdgeReader {
  private readonly map: BpfMap;
  private readonly answers: AnswerReader;
  private readonly names: EdgeNames;
  private readonly cpus = possibleCpus();

  constructor({ edges, answers }: { readonly edges: BpfMap; readonly answers: BpfMap }, names: EdgeNames) {
    this.map = edges;
    this.answers = new AnswerReader(answers);
    this.names = names;
  }

  /**
   * All edges, sorted by source, service, port, endpoint. Counters never go down while the maps live.
   * @param relayed what a relay has counted beside the programs
   */
  async read(relayed: readonly RelayEdge[] = []): Promise<Edge[]> {
    const { keySize } = this.map.info;
    const { count, keys, values } = await this.map.batchLookup();
    const stride = Math.ceil(edgeValue.size / 8) * 8 * this.cpus;
    const edges = Array.from({ length: count }, (_, i) => {
      const key = edgeKey.decode(keys.subarray(i * keySize));
      const counters = sumEdge(values.subarray(i * stride), this.cpus);
      return create(EdgeSchema, { ...this.names.ofPrograms(key), ...counters });
    });
    // Two of the programs' may look alike: of a port's TCP and of its UDP.
    const known = new Map(edges.map((edge) => [sortKey(edge), edge]));
    const answered = new Map<Edge, Map<string, Answered>>();
    const add = (ends: EdgeEnds, counts: Answered): void => {
      const key = sortKey(ends);
      const edge = known.get(key) ?? create(EdgeSchema, ends);
      if (!known.has(key)) edges.push(edge);
      known.set(key, edge);
      const { route, statusClass, requests } = counts;
      edge.requests[statusClass] = (edge.requests[statusClass] ?? 0n) + requests;
      const byRoute = answered.get(edge) ?? new Map<string, Answered>();
      answered.set(edge, byRoute);
      const name = `${statusClass} ${route}`;
      byRoute.set(name, sumOf(counts, byRoute.get(name)));
    };
    for (const one of await this.answers.read())
      add(this.names.ofPrograms(one), ofPrograms(one, this.names.route(one.route)));
    for (const one of relayed) add(this.names.ofRelay(one), ofRelay(one));
    for (const [edge, byRoute] of answered) edge.answered.push(...Array.from(byRoute.values(), toldAnswers));
    return edges.sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
  }

  /**
   * Deletes the counters of callers, services, endpoints and routes that the policy no longer knows: pods come and go for as long as
   * the maps live.
   * @param current all names of the policy held
   * @param workloads the node's own, by their names
   * @returns how many edges went
   */
  async prune(current: ReadonlyMap<bigint, Named>, workloads: readonly string[]): Promise<number> {
    const sources = new Set([0n, ...workloads.map(workloadIdentifier)]);
    const isKnown = (source: bigint, ...identifiers: bigint[]): boolean =>
      sources.has(source) && identifiers.every((identifier) => identifier === 0n || current.has(identifier));
    await this.answers.prune(({ source, service, endpoint, route }) =>
      isKnown(source, service, endpoint, route),
    );
    const { keySize } = this.map.info;
    const { count, keys } = await this.map.batchLookup();
    let pruned = 0;
    for (let i = 0; i < count; i++) {
      const bytes = keys.subarray(i * keySize, (i + 1) * keySize);
      const { source, service, endpoint } = edgeKey.decode(bytes);
      if (!isKnown(source, service, endpoint) && this.map.delete(bytes)) pruned += 1;
    }
    this.names.forgetOthers(current, sources);
    return pruned;
  }
}

/** Requests by one route that were answered alike, whoever has counted them. */
interface Answered {
  readonly route: string;
  readonly statusClass: number;
  readonly requests: bigint;
  readonly sentBytes: bigint;
  readonly receivedBytes: bigint;
  /** As {@link RelayEdge.latency}. */
  readonly latency: readonly number[];
  readonly latencySumUs: bigint;
}

const ofPrograms = (edge: AnsweredEdge, route: string): Answered => ({
  route,
  statusClass: edge.statusClass,
  requests: edge.requests,
  sentBytes: 0n,
  receivedBytes: edge.bytes,
  latency: edge.latency,
  latencySumUs: edge.latencySumUs,
});

const ofRelay = (edge: RelayEdge): Answered => ({
  route: edge.route,
  statusClass: edge.statusClass,
  requests: edge.requests,
  sentBytes: edge.bytesSent,
  receivedBytes: edge.bytesReceived,
  latency: edge.latency,
  latencySumUs: edge.latencySumUs,
});

const sumOf = (one: Answered, other: Answered | undefined): Answered =>
  other === undefined
    ? one
    : {
        ...one,
        requests: one.requests + other.requests,
        sentBytes: one.sentBytes + other.sentBytes,
        receivedBytes: one.receivedBytes + other.receivedBytes,
        latency: sumOfBuckets(one.latency, other.latency),
        latencySumUs: one.latencySumUs + other.latencySumUs,
      };

const toldAnswers = (answered: Answered): AnsweredRequests =>
  create(AnsweredRequestsSchema, { ...answered, latency: answered.latency.map(BigInt) });

const sortKey = (edge: EdgeEnds): string =>
  [edge.source, edge.service, edge.port.toString().padStart(5, "0"), edge.endpoint].join("\0");

/** Reads the node-wide counters, summed over CPUs. */
export function readStatistics(map: BpfMap): Statistics {
  return Object.fromEntries(statistics.map((name) => [name, readStatistic(map, name)])) as Statistics;
}

/** One of them. */
export function readStatistic(map: BpfMap, name: keyof Statistics): bigint {
  const index = statistics.indexOf(name);
  return (map.lookupPerCpu(new Uint8Array(new Uint32Array([index]).buffer)) ?? []).reduce(
    (sum, bytes) => sum + new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true),
    0n,
  );
}
