import type { NodeView, StatusView } from "@keelson/model";

/** Whether a node's maps hold what they should. */
export type NodeState = "SYNCED" | "PENDING" | "REJECTED";

export interface StatedNode extends NodeView {
  readonly state: NodeState;
}

/** What a control plane says of itself, with where it was asked and what follows for each node. */
export interface StatusReport extends StatusView {
  readonly server: string;
  readonly nodes: readonly StatedNode[];
}

export const statusReport = (server: string, status: StatusView): StatusReport => ({
  server,
  ...status,
  nodes: status.nodes.map((node) => ({ ...node, state: nodeState(node) })),
});

/** A rejection outlives the wait for a next version: the node goes on with the one before until it takes another. */
export function nodeState({ rejected, pendingSince, wantedVersion, appliedVersion }: NodeView): NodeState {
  if (Object.keys(rejected).length > 0) return "REJECTED";
  return pendingSince === undefined && appliedVersion === wantedVersion ? "SYNCED" : "PENDING";
}
