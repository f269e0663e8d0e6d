import type { Edge, ReportEdgesRequest } from "@keelson/protos/telemetry";

/** What one node reported last. */
export interface NodeEdges {
  readonly node: string;
  /** By the node's clock. */
  readonly takenAt: Date;
  readonly edges: readonly Edge[];
  readonly uncounted: bigint;
}

export interface LedgerLimits {
  /** Nodes remembered; a report of a further one is refused. */
  readonly nodes: number;
  /** Edges kept of one node's report. */
  readonly edgesPerNode: number;
  /** Edges kept of all nodes. */
  readonly edges: number;
}

const defaultLimits: LedgerLimits = { nodes: 5_000, edgesPerNode: 65_536, edges: 1_000_000 };

/** Of a node's name in characters, as of Kubernetes' names. */
const nameLength = 253;

/** The last report of every node. Reports are cumulative, so nothing else need be kept. */
export class EdgeLedger {
  private readonly limits: LedgerLimits;
  private readonly nodes = new Map<string, NodeEdges>();
  private kept = 0;

  constructor(limits: LedgerLimits = defaultLimits) {
    this.limits = limits;
  }

  /** @throws RangeError if the report is larger, or comes from more nodes, than the ledger may keep. */
  take(report: ReportEdgesRequest): void {
    const { node, edges } = report;
    if (node === "") throw new RangeError("a report names no node");
    if (node.length > nameLength) throw new RangeError(`a node's name has ${node.length} characters`);
    if (edges.length > this.limits.edgesPerNode) {
      throw new RangeError(
        `node ${node} reports ${edges.length} edges, more than ${this.limits.edgesPerNode}`,
      );
    }
    if (!this.nodes.has(node) && this.nodes.size >= this.limits.nodes) {
      throw new RangeError(`node ${node}: ${this.limits.nodes} other nodes report already`);
    }
    const kept = this.kept - (this.nodes.get(node)?.edges.length ?? 0) + edges.length;
    if (kept > this.limits.edges) {
      throw new RangeError(
        `node ${node} reports ${edges.length} edges; with those of others that is more than ${this.limits.edges}`,
      );
    }
    this.kept = kept;
    this.nodes.set(node, {
      node,
      takenAt: new Date(Number(report.takenAtMs)),
      edges,
      uncounted: report.uncounted,
    });
  }

  /** Sorted by node name. */
  reports(): NodeEdges[] {
    return [...this.nodes.values()].sort((a, b) => (a.node < b.node ? -1 : 1));
  }
}
