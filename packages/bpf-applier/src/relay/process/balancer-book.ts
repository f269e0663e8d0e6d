import type { Endpoint, EndpointSet } from "@keelson/protos/policy";
import type { Balancer, DestinationRef, Limits } from "../policy/types.ts";

/** Envoy's defaults where a rule says nothing. */
const limits: Limits = {
  connections: Number.POSITIVE_INFINITY,
  pendingRequests: Number.POSITIVE_INFINITY,
  requests: Number.POSITIVE_INFINITY,
  retries: Number.POSITIVE_INFINITY,
  requestsPerConnection: Number.POSITIVE_INFINITY,
  streamsPerConnection: 100,
  connectTimeoutMs: 10_000,
  idleTimeoutMs: 30_000,
};

/** The balancers of all destinations. */
export class BalancerBook {
  private readonly endpoints: (set: string) => EndpointSet | undefined;
  private readonly balancers = new Map<string, Balancer>();

  constructor(endpoints: (set: string) => EndpointSet | undefined) {
    this.endpoints = endpoints;
  }

  of({ key, endpointSet }: DestinationRef): Balancer {
    let balancer = this.balancers.get(key);
    if (balancer === undefined) {
      let turn = 0;
      const pick = (): Endpoint | undefined => {
        const { endpoints = [] } = this.endpoints(endpointSet) ?? {};
        return endpoints[turn++ % endpoints.length];
      };
      balancer = { limits, pick, started() {}, ended() {} };
      this.balancers.set(key, balancer);
    }
    return balancer;
  }
}
