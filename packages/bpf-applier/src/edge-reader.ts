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
import { workloadIdentifier } from "./pods/pod-map.ts";
import type { RelayEdge } from "./relay/relay.ts";
import type { Named } from "./service-table.ts";

/** Node-wide counters, by the names in bpf/layout/layouts.ts. */
export type Statistics = Record<(typeof statistics)[number], bigint>;

type NamedEndpoint = Extract<Named, { kind: "endpoint" }>;

const counterNames = ["connections", "datagrams", "refused", "sentRequests", "sentRequestBytes"] as const;
type Counters = Record<(typeof counterNames)[number], bigint>;

/** Sums the per-CPU copies of one value; the kernel lays them out at multiples of 8 bytes. */
function sumEdge(bytes: Uint8Array, cpus: number): Counters {
  const stride = Math.ceil(edgeValue.size / 8) * 8;
  const copies = Array.from({ length: cpus }, (_, cpu) => edgeValue.decode(bytes.subarray(cpu * stride)));
  const sumOf = (name: keyof Counters): bigint => copies.reduce((sum, copy) => sum + copy[name], 0n);
  return Object.fromEntries(counterNames.map((name) => [name, sumOf(name)])) as Counters;
}

/**
 * Reads the edges' counters, each map in one batch. Names outlive the policy that brought them until `prune` removes their
 * counters.
 */
export class EdgeReader {
  private readonly map: BpfMap;
  private readonly answers: AnswerReader;
  private readonly names = new Map<bigint, Named>();
  /** Endpoints by address and port: a relay knows them by these. */
  private readonly endpoints = new Map<string, NamedEndpoint>();
  private readonly sources = new Map<bigint, string>();
  private readonly cpus = possibleCpus();

  constructor({ edges, answers }: { readonly edges: BpfMap; readonly answers: BpfMap }) {
    this.map = edges;
    this.answers = new AnswerReader(answers);
  }

  /** Learns what the identifiers of services and endpoints stand for; to be called before they are in the maps. */
  learn(names: ReadonlyMap<bigint, Named>): void {
    for (const [identifier, named] of names) {
      this.names.set(identifier, named);
      if (named.kind === "endpoint") this.endpoints.set(named.address, named);
    }
  }

  learnWorkloads(names: Iterable<string>): void {
    for (const name of names) this.sources.set(workloadIdentifier(name), name);
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
      return this.edge(key, this.endpointOf(key.endpoint), counters);
    });
    // Two of the programs' may look alike: of a port's TCP and of its UDP.
    const known = new Map(edges.map((edge) => [sortKey(edge), edge]));
    const add = (told: Edge, answered: AnsweredRequests): void => {
      const edge = known.get(sortKey(told)) ?? told;
      const { statusClass, requests } = answered;
      edge.requests[statusClass] = (edge.requests[statusClass] ?? 0n) + requests;
      edge.answered.push(answered);
      if (edge !== told) return;
      known.set(sortKey(edge), edge);
      edges.push(edge);
    };
    for (const one of await this.answers.read())
      add(this.edge(one, this.endpointOf(one.endpoint)), ofPrograms(one));
    for (const one of relayed) {
      add(this.edge({ source: one.workload, service: one.service }, this.relayedTo(one)), ofRelay(one));
    }
    return edges.sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
  }

  /**
   * Deletes the counters of services and endpoints that the policy no longer knows.
   * @param current all names of the policy held
   * @returns how many edges went
   */
  async prune(current: ReadonlyMap<bigint, Named>): Promise<number> {
    const isKnown = (service: bigint, endpoint: bigint): boolean =>
      current.has(service) && (endpoint === 0n || current.has(endpoint));
    await this.answers.prune(isKnown);
    const { keySize } = this.map.info;
    const { count, keys } = await this.map.batchLookup();
    let pruned = 0;
    for (let i = 0; i < count; i++) {
      const bytes = keys.subarray(i * keySize, (i + 1) * keySize);
      const { service, endpoint } = edgeKey.decode(bytes);
      if (!isKnown(service, endpoint) && this.map.delete(bytes)) pruned += 1;
    }
    for (const [identifier, named] of this.names) {
      if (current.has(identifier)) continue;
      this.names.delete(identifier);
      if (named.kind === "endpoint" && this.endpoints.get(named.address) === named)
        this.endpoints.delete(named.address);
    }
    return pruned;
  }

  private edge(
    key: { source: bigint; service: bigint },
    endpoint: Partial<Pick<Edge, "endpoint" | "workload" | "labels">>,
    counters: Partial<Counters> = {},
  ): Edge {
    const service = this.names.get(key.service);
    return create(EdgeSchema, {
      source: this.sources.get(key.source) ?? "",
      service: service?.kind === "service" ? service.hostname : unknown(key.service),
      port: service?.kind === "service" ? service.port : 0,
      ...endpoint,
      ...counters,
    });
  }

  private endpointOf(identifier: bigint): Partial<Edge> {
    if (identifier === 0n) return {};
    const named = this.names.get(identifier);
    return named?.kind === "endpoint" ? told(named) : { endpoint: unknown(identifier) };
  }

  private relayedTo({ endpoint }: RelayEdge): Partial<Edge> {
    const named = this.endpoints.get(endpoint);
    return named === undefined ? { endpoint } : told(named);
  }
}

const told = ({ address, workload, labels }: NamedEndpoint): Partial<Edge> => ({
  endpoint: address,
  workload,
  labels: [...labels],
});

const ofPrograms = ({ statusClass, requests, bytes, latency }: AnsweredEdge): AnsweredRequests =>
  create(AnsweredRequestsSchema, {
    statusClass,
    requests,
    receivedBytes: bytes,
    latency: latency.map(BigInt),
  });

const ofRelay = (edge: RelayEdge): AnsweredRequests =>
  create(AnsweredRequestsSchema, {
    route: edge.route,
    statusClass: edge.statusClass,
    requests: edge.requests,
    sentBytes: edge.bytesSent,
    receivedBytes: edge.bytesReceived,
    latency: edge.latency.map(BigInt),
  });

/** A counter whose name went with an earlier applier is shown all the same. */
const unknown = (identifier: bigint): string => `#${identifier.toString(16).padStart(16, "0")}`;

const sortKey = (edge: Edge): string =>
  [edge.source, edge.service, edge.port.toString().padStart(5, "0"), edge.endpoint].join("\0");

/** Reads the node-wide counters, summed over CPUs. */
export function readStatistics(map: BpfMap): Statistics {
  const read = (index: number): bigint =>
    (map.lookupPerCpu(new Uint8Array(new Uint32Array([index]).buffer)) ?? []).reduce(
      (sum, bytes) => sum + new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true),
      0n,
    );
  return Object.fromEntries(statistics.map((name, index) => [name, read(index)])) as Statistics;
}
