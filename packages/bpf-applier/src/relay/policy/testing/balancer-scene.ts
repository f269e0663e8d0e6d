import { create } from "@bufbuild/protobuf";
import { type Endpoint, type EndpointSet, EndpointSetSchema } from "@keelson/protos/policy";
import { type LoadBalancer_Simple as Simple, TrafficPolicySchema } from "@keelson/protos/traffic-policy";
import { Balancers } from "../balancer/balancers.ts";
import type { Balancer, Choice, DestinationRef } from "../types.ts";
import type { PolicyInit } from "./builders.ts";

export const name = "outbound|9080||reviews.default.svc.cluster.local";

/** Endpoints 10.0.0.1, 10.0.0.2, … by their weights. */
export const setOf = (...weights: readonly number[]): EndpointSet =>
  create(EndpointSetSchema, {
    name,
    endpoints: weights.map((weight, index) => ({
      address: Uint8Array.of(10, 0, 0, index + 1),
      port: 9080,
      weight,
    })),
  });

export const refOf = (policy?: PolicyInit): DestinationRef => ({
  key: name,
  endpointSet: name,
  policy: policy && create(TrafficPolicySchema, policy),
});
export const simple = (how: Simple): PolicyInit => ({ loadBalancer: { simple: how } });

/** Balancers of one set. */
export class Scene {
  readonly balancers = new Balancers(() => 0);
  constructor(...weights: readonly number[]) {
    this.balancers.update(new Map([[name, setOf(...weights)]]));
  }

  of(policy?: PolicyInit): Balancer {
    return this.balancers.of(refOf(policy), "IPv4");
  }
}

export const at = (endpoint: Endpoint | undefined): number => endpoint?.address.at(-1) ?? 0;
export const pick = (balancer: Balancer, choice: Partial<Choice> = {}, now = 0): number =>
  at(balancer.pick({ hash: undefined, tried: [], random: Math.random, ...choice }, now));
export const picks = (balancer: Balancer, count: number): number[] =>
  Array.from({ length: count }, () => pick(balancer));
export const shares = (balancer: Balancer, count: number): Record<number, number> => {
  const seen: Record<number, number> = {};
  for (const one of picks(balancer, count)) seen[one] = (seen[one] ?? 0) + 1;
  return seen;
};
