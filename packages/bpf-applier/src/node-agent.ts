import type { WantedRequests } from "@keelson/model/observation";
import type { Edge } from "@keelson/protos/telemetry";
import type { ApplierStatus } from "./applier-status.ts";
import type { IdleStatus } from "./idle-node.ts";
import type { RequestSink } from "./observe/request-observer.ts";

/** What serves a node, for those who ask at its socket. */
export interface NodeAgent {
  status(): ApplierStatus | IdleStatus;
  edges(): Promise<Edge[]>;
  /**
   * Shows single requests from now on.
   * @returns ends it
   * @throws Error if there is nothing to be seen of this node
   */
  observe(wanted: WantedRequests, sink: RequestSink): () => void;
  /** Counters as Prometheus reads them. */
  metrics(): Promise<string>;
  /** Ends this process's part. */
  close(): Promise<void>;
  /** As close, but leaves all that can be left to the agent that comes next: its relay, too. */
  giveUp(): Promise<void>;
  /** As close, but leaves nothing on the node. @returns how many programs were detached. */
  release(): Promise<number>;
}
