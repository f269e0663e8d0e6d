import type { JsonObject } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { DeltaXdsClient } from "@keelson/xds";
import { envoyTypeUrls } from "@keelson/xds/envoy";

export interface TestProxyOptions {
  /** "type~ip~name.namespace~domain" */
  readonly id: string;
  readonly metadata?: JsonObject;
  readonly typeUrls?: readonly string[];
  /** Why it rejects what it is sent of a type; undefined: it takes it. */
  readonly reject?: (typeUrl: string) => string | undefined;
}

/** A proxy as istiod knows them: it asks for clusters and listeners over delta ADS, and takes what it is sent. */
export class TestProxy {
  private readonly client: DeltaXdsClient;

  constructor(port: number, { id, metadata = {}, typeUrls, reject = () => undefined }: TestProxyOptions) {
    this.client = new DeltaXdsClient({
      address: `127.0.0.1:${port}`,
      credentials: grpc.credentials.createInsecure(),
      node: { id, metadata: { PROXY_CONFIG: {}, ISTIO_VERSION: "1.31.0", ...metadata } as never },
      typeUrls: typeUrls ?? [envoyTypeUrls.cluster, envoyTypeUrls.listener, envoyTypeUrls.nameTable],
      onUpdate: async ({ typeUrl }) => {
        const why = reject(typeUrl);
        if (why !== undefined) throw new Error(why);
      },
    });
    this.client.start();
  }

  close(): Promise<void> {
    return this.client.close();
  }
}

export const sidecarId = (name: string, namespace = "default", ip = "10.1.1.1"): string =>
  `sidecar~${ip}~${name}.${namespace}~${namespace}.svc.cluster.local`;
