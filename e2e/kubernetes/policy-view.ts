import { fromBinary } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { policyTypeUrls } from "@keelson/protos";
import { EndpointSetSchema, LeftAlone, ServiceSchema, WorkloadSchema } from "@keelson/protos/policy";
import { Backoff, DeltaXdsClient } from "@keelson/xds";

/** What a control plane tells a node over delta ADS. */
export class PolicyView {
  private readonly bodies = {
    [policyTypeUrls.service]: new Map<string, Uint8Array>(),
    [policyTypeUrls.endpointSet]: new Map<string, Uint8Array>(),
    [policyTypeUrls.workload]: new Map<string, Uint8Array>(),
  };
  private readonly client: DeltaXdsClient;

  /** @param address host:port of xDS in the clear */
  constructor(address: string) {
    this.client = new DeltaXdsClient({
      address,
      credentials: grpc.credentials.createInsecure(),
      node: { id: "node", metadata: { NODE_NAME: "node-a" } },
      typeUrls: Object.keys(this.bodies),
      backoff: new Backoff(20, 200),
      onUpdate: async ({ typeUrl, added, removed }) => {
        const held = this.bodies[typeUrl];
        for (const { name, body } of added) held?.set(name, body);
        for (const name of removed) held?.delete(name);
      },
    });
    this.client.start();
  }

  /** Hostnames, sorted. */
  get services(): string[] {
    return [...(this.bodies[policyTypeUrls.service]?.keys() ?? [])].sort();
  }

  /** Where connections to a service's first port go: name of the endpoint set → weight. */
  destinations(hostname: string): Record<string, number> {
    const body = this.bodies[policyTypeUrls.service]?.get(hostname);
    if (body === undefined) return {};
    const [port] = fromBinary(ServiceSchema, body).ports;
    return Object.fromEntries(
      port?.destinations.map(({ endpointSet, weight }) => [endpointSet, weight]) ?? [],
    );
  }

  /** "10.1.0.1 eu/eu-1" of each endpoint of a set, sorted. */
  endpoints(set: string): string[] {
    const body = this.bodies[policyTypeUrls.endpointSet]?.get(set);
    if (body === undefined) return [];
    return fromBinary(EndpointSetSchema, body)
      .endpoints.map(({ address, locality }) => `${address.join(".")} ${locality}`)
      .sort();
  }

  /** Why the node leaves the calls of "namespace/pod" alone; undefined: it has not been told of that pod. */
  leftAlone(workload: string): string | undefined {
    const body = this.bodies[policyTypeUrls.workload]?.get(workload);
    if (body === undefined) return undefined;
    return LeftAlone[fromBinary(WorkloadSchema, body).leftAlone];
  }

  close(): Promise<void> {
    return this.client.close();
  }
}
