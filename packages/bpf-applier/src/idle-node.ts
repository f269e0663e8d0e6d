import type { ChannelCredentials } from "@grpc/grpc-js";
import { applierIdPrefix, nodeNameMetadata } from "@keelson/model/names";
import { policyTypeUrls } from "@keelson/protos";
import type { Edge } from "@keelson/protos/telemetry";
import { DeltaXdsClient } from "@keelson/xds";
import type { Logger } from "pino";
import { stateMetrics } from "./metrics/state-metrics.ts";
import type { NodeAgent } from "./node-agent.ts";

export interface IdleStatus {
  readonly node: string;
  /** Why nothing of this node is decided here. */
  readonly idleBecause: string;
  readonly connected: boolean;
  readonly connectionError?: string;
}

export interface IdleNodeOptions {
  readonly node: string;
  /** host:port of the control plane's xDS port; undefined: it is not told. */
  readonly controlPlane: string | undefined;
  readonly credentials: ChannelCredentials;
  readonly idleBecause: string;
  readonly logger: Logger;
}

/**
 * A node that is left alone, as its kernel cannot do what is needed or as it was uninstalled. The control plane hears the
 * reason as an answer to the smallest type of the policy, so that whoever looks at the mesh sees it.
 */
export class IdleNode implements NodeAgent {
  private readonly options: IdleNodeOptions;
  private readonly client: DeltaXdsClient | undefined;
  private connection: { connected: boolean; error?: string } = { connected: false };

  constructor(options: IdleNodeOptions) {
    this.options = options;
    const { node, controlPlane, credentials, idleBecause } = options;
    if (controlPlane === undefined) return;
    this.client = new DeltaXdsClient({
      address: controlPlane,
      credentials,
      node: { id: `${applierIdPrefix}${node}`, metadata: { [nodeNameMetadata]: node } },
      typeUrls: [policyTypeUrls.workload],
      initialResourceVersions: () => ({}),
      onUpdate: () => Promise.reject(new Error(`the node is left alone: ${idleBecause}`)),
      onState: (state) => {
        this.connection = state;
      },
    });
    this.client.start();
  }

  status(): IdleStatus {
    const { connected, error } = this.connection;
    return {
      node: this.options.node,
      idleBecause: this.options.idleBecause,
      connected,
      ...(error === undefined ? {} : { connectionError: error }),
    };
  }

  edges(): Promise<Edge[]> {
    return Promise.resolve([]);
  }

  observe(): never {
    throw new Error(this.options.idleBecause);
  }

  metrics(): Promise<string> {
    return Promise.resolve(
      stateMetrics({ isIdle: true, connected: this.connection.connected, rejected: {} }),
    );
  }

  async close(): Promise<void> {
    await this.client?.close();
  }

  giveUp(): Promise<void> {
    return this.close();
  }

  async release(): Promise<number> {
    await this.close();
    return 0;
  }
}
