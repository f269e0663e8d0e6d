import * as grpc from "@grpc/grpc-js";
import { policyTypeUrls } from "@keelson/protos";
import { DeltaXdsClient } from "@keelson/xds";

/**
 * A stream of a node's agent, by the agent's own client and its own waits. The control plane is a list of addresses, as a
 * Service without an address of its own would be: gRPC takes the first that can be had.
 */
export class Caller {
  /** Service → when it was first told of, by performance.now. */
  readonly heard = new Map<string, number>();
  /** Why streams were lost. */
  readonly losses: string[] = [];
  private readonly client: DeltaXdsClient;

  /** @param ports of 127.0.0.1, the first being preferred */
  constructor(name: string, ports: readonly number[]) {
    this.client = new DeltaXdsClient({
      address: `ipv4:${ports.map((port) => `127.0.0.1:${port}`).join(",")}`,
      credentials: grpc.credentials.createInsecure(),
      node: { id: name, metadata: { NODE_NAME: name } },
      typeUrls: [policyTypeUrls.service, policyTypeUrls.endpointSet],
      onUpdate: async ({ added }) => {
        for (const { name: told } of added)
          if (!this.heard.has(told)) this.heard.set(told, performance.now());
      },
      onState: ({ connected, error = "" }) => {
        if (!connected) this.losses.push(error);
      },
    });
    this.client.start();
  }

  close(): Promise<void> {
    return this.client.close();
  }
}
