import { applierIdPrefix, nodeNameMetadata } from "@keelson/model/names";
import { policyTypeUrls } from "@keelson/protos";
import { type DeltaUpdate, DeltaXdsClient } from "@keelson/xds";
import type { ApplierOptions } from "./applier-options.ts";

export interface PolicyStreamOptions
  extends Pick<ApplierOptions, "node" | "controlPlane" | "credentials" | "logger"> {
  /** Resource name → version, of all that is held of a type. */
  readonly held: (typeUrl: string) => Record<string, string>;
  /** Resolves when the update is live, which acknowledges it. @throws Error with the reason of a nack */
  readonly onUpdate: (update: DeltaUpdate) => Promise<void>;
  readonly onConnected: () => void;
}

export interface Connection {
  readonly connected: boolean;
  /** Why it is not, or was not the last time. */
  readonly error?: string;
}

/** The control plane's policy as it comes: a delta stream, kept up until it is closed. */
export class PolicyStream {
  private readonly client: DeltaXdsClient;
  private readonly options: PolicyStreamOptions;
  private now: Connection = { connected: false };

  constructor(options: PolicyStreamOptions) {
    const { node, controlPlane, credentials, held, onUpdate } = options;
    this.options = options;
    this.client = new DeltaXdsClient({
      address: controlPlane,
      credentials,
      node: { id: `${applierIdPrefix}${node}`, metadata: { [nodeNameMetadata]: node } },
      typeUrls: Object.values(policyTypeUrls),
      initialResourceVersions: held,
      onUpdate,
      onState: (state) => this.onState(state),
    });
  }

  get connection(): Connection {
    return this.now;
  }

  start(): void {
    this.client.start();
  }

  async close(): Promise<void> {
    await this.client.close();
  }

  private onState(state: Connection): void {
    const { controlPlane, logger, onConnected } = this.options;
    if (state.connected !== this.now.connected || state.error !== this.now.error) {
      logger[state.connected ? "info" : "warn"](
        { controlPlane, ...state },
        state.connected ? "connected" : "not connected to the control plane",
      );
    }
    this.now = state;
    if (state.connected) onConnected();
  }
}
