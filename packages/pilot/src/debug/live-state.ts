import type { PipelineState } from "../config/config-pipeline.ts";
import type { PolicyServer } from "../serving/policy-server.ts";
import type { DebugState } from "./debug-state.ts";
import type { ProxyConnection } from "./proxy-connection.ts";
import { proxyConnection } from "./proxy-connections.ts";

/** A running control plane, to be looked at. */
export class LiveState implements DebugState {
  readonly clusterId: string;
  private readonly server: PolicyServer;
  private readonly state: () => PipelineState | undefined;

  constructor(server: PolicyServer, state: () => PipelineState | undefined, clusterId: string) {
    this.server = server;
    this.state = state;
    this.clusterId = clusterId;
  }

  get connections(): readonly ProxyConnection[] {
    return this.server
      .connections()
      .map(proxyConnection)
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  get pipeline(): PipelineState | undefined {
    return this.state();
  }

  get pushVersion(): string {
    return this.server.pushVersion;
  }

  push(): void {
    this.server.push();
  }

  clearCache(): void {
    this.server.clearCache();
  }

  disconnect({ number }: ProxyConnection): void {
    this.server.disconnect(number);
  }
}
