import { EdgeCounters, type RequestCounts } from "./counters.ts";

/** Counts of one caller and one service port; identifiers as in the maps. */
export interface CountedEdge extends RequestCounts {
  readonly workload: bigint;
  readonly service: bigint;
}

/** All that a relay counts since it started. */
export class CounterBook {
  /** Connections that were closed before anything was passed on, by the reason. */
  readonly refused = {
    unknownOrigin: 0,
    unknownService: 0,
    noPolicy: 0,
    tooManyConnections: 0,
    /** For bytes: the destination has as many as a rule allows. */
    overflow: 0,
  };
  private readonly edges = new Map<bigint, Map<bigint, EdgeCounters>>();

  edge(workload: bigint, service: bigint): EdgeCounters {
    let own = this.edges.get(workload);
    if (own === undefined) {
      own = new Map();
      this.edges.set(workload, own);
    }
    let counters = own.get(service);
    if (counters === undefined) {
      counters = new EdgeCounters();
      own.set(service, counters);
    }
    return counters;
  }

  all(): CountedEdge[] {
    return [...this.edges].flatMap(([workload, own]) =>
      [...own].flatMap(([service, counters]) =>
        [...counters.counts()].map((counts) => ({ workload, service, ...counts })),
      ),
    );
  }
}
