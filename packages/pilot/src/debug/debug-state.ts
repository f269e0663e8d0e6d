import type { PipelineState } from "../config/config-pipeline.ts";
import type { ProxyConnection } from "./proxy-connection.ts";

/** What there is to be looked at. */
export interface DebugState {
  /** Sorted by id. */
  readonly connections: readonly ProxyConnection[];
  /** Undefined until the configuration has been read. */
  readonly pipeline: PipelineState | undefined;
  /** Of the newest snapshot, as proxies are told it. */
  readonly pushVersion: string;
  /** Name of the own cluster. */
  readonly clusterId: string;
  /** Sends what is newest to all that lack any of it. */
  push(): void;
  /** Makes what is kept of earlier snapshots anew. */
  clearCache(): void;
  /** Ends a stream. */
  disconnect(connection: ProxyConnection): void;
}
