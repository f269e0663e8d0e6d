import type { Edge } from "@keelson/protos/telemetry";
import type { ApplierStatus } from "./applier.ts";
import type { IdleStatus } from "./idle-node.ts";

/** What serves a node, for those who ask at its socket. */
export interface NodeAgent {
  status(): ApplierStatus | IdleStatus;
  edges(): Promise<Edge[]>;
  /** Counters as Prometheus reads them. */
  metrics(): Promise<string>;
  /** Ends this process's part. */
  close(): Promise<void>;
  /** As close, but leaves nothing on the node. @returns how many programs were detached. */
  release(): Promise<number>;
}
