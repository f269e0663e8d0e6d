// What the control plane answers below /debug/keelson, and the command line reads.
import type { Problem } from "./config-object.ts";

export const debugPaths = {
  status: "/debug/keelson/status",
  nodes: "/debug/keelson/nodes",
  edges: "/debug/keelson/edges",
  ir: "/debug/keelson/ir",
  explain: "/debug/keelson/explain",
} as const;

/** One node that is connected over xDS. Times are ISO 8601. */
export interface NodeView {
  readonly name: string;
  readonly id: string;
  readonly peer: string;
  readonly connectedAt: string;
  /** The version that the node should hold. */
  readonly wantedVersion: string;
  /** The version that the node says its maps hold; empty before its first ack. */
  readonly appliedVersion: string;
  /** Since when the node owes an answer; absent if it owes none. */
  readonly pendingSince?: string;
  /** Resource type → why the node rejected what it was sent last. */
  readonly rejected: Readonly<Record<string, string>>;
}

export interface StatusView {
  /** Of the control plane's program. */
  readonly program: string;
  readonly startedAt: string;
  /** The IR's current version, and since when it is current; empty before the first. */
  readonly version: string;
  readonly versionSince: string;
  readonly services: number;
  readonly objects: number;
  readonly problems: readonly Problem[];
  readonly nodes: readonly NodeView[];
}
