import type { Edge } from "@keelson/protos/telemetry";
import { workloadIdentifier } from "./pods/pod-map.ts";
import type { RelayEdge } from "./relay/relay.ts";
import type { Named } from "./service-table.ts";

type NamedEndpoint = Extract<Named, { kind: "endpoint" }>;

/** Who an edge leads from and to, by names. */
export type EdgeEnds = Pick<Edge, "source" | "service" | "port" | "endpoint" | "workload" | "labels">;

/** What the identifiers in the maps stand for. Names outlive the policy that brought them until they are forgotten. */
export class EdgeNames {
  private readonly names = new Map<bigint, Named>();
  /** Endpoints by address and port: a relay knows them by these. */
  private readonly endpoints = new Map<string, NamedEndpoint>();
  private readonly sources = new Map<bigint, string>();

  /** To be called before the identifiers of services and endpoints are in the maps. */
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
   * @param current what need be known from now on
   * @param sources the same of callers
   */
  forgetOthers(current: ReadonlyMap<bigint, Named>, sources: ReadonlySet<bigint>): void {
    for (const source of this.sources.keys()) if (!sources.has(source)) this.sources.delete(source);
    for (const [identifier, named] of this.names) {
      if (current.has(identifier)) continue;
      this.names.delete(identifier);
      if (named.kind === "endpoint" && this.endpoints.get(named.address) === named)
        this.endpoints.delete(named.address);
    }
  }

  /** An edge as programs know it. */
  ofPrograms(key: {
    readonly source: bigint;
    readonly service: bigint;
    readonly endpoint: bigint;
  }): EdgeEnds {
    return { ...this.callerAndService(key.source, key.service), ...this.endpointOf(key.endpoint) };
  }

  /** An edge as a relay knows it. */
  ofRelay({ workload, service, endpoint }: Pick<RelayEdge, "workload" | "service" | "endpoint">): EdgeEnds {
    const named = this.endpoints.get(endpoint);
    return {
      ...this.callerAndService(workload, service),
      ...(named ? told(named) : { ...nobody, endpoint }),
    };
  }

  /** A route as programs know it; empty: none. */
  route(identifier: bigint): string {
    if (identifier === 0n) return "";
    const named = this.names.get(identifier);
    return named?.kind === "route" ? named.name : unknown(identifier);
  }

  private callerAndService(source: bigint, service: bigint): Pick<Edge, "source" | "service" | "port"> {
    const named = this.names.get(service);
    return {
      source: this.sources.get(source) ?? "",
      service: named?.kind === "service" ? named.hostname : unknown(service),
      port: named?.kind === "service" ? named.port : 0,
    };
  }

  private endpointOf(identifier: bigint): ToldEndpoint {
    if (identifier === 0n) return nobody;
    const named = this.names.get(identifier);
    return named?.kind === "endpoint" ? told(named) : { ...nobody, endpoint: unknown(identifier) };
  }
}

type ToldEndpoint = Pick<Edge, "endpoint" | "workload" | "labels">;

const nobody: ToldEndpoint = { endpoint: "", workload: "", labels: [] };

const told = ({ address, workload, labels }: NamedEndpoint): ToldEndpoint => ({
  endpoint: address,
  workload,
  labels: [...labels],
});

/** What is counted of a name that went with an earlier applier is shown all the same. */
const unknown = (identifier: bigint): string => `#${identifier.toString(16).padStart(16, "0")}`;
