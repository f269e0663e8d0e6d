import { equals } from "@bufbuild/protobuf";
import { type Family, familyOf } from "@keelson/model/address";
import type { Endpoint, EndpointSet } from "@keelson/protos/policy";
import { type TrafficPolicy, TrafficPolicySchema } from "@keelson/protos/traffic-policy";
import type { Balancer, Choice, Limits, Outcome } from "../types.ts";
import { type Chooser, chooserOf, type Turn } from "./chooser.ts";
import { type Host, nameOf, newHost } from "./host.ts";
import { limitsOf } from "./limits.ts";
import { Outliers } from "./outliers.ts";

/** How often a host is chosen anew that was tried before (Istio's `host_selection_retry_max_attempts`). */
const choices = 6;

/**
 * The hosts of a destination: who is asked next, who is busy, who fails. They are those of one address family, as a pod with
 * addresses of both is an endpoint of each; a set that has none of it is reached by the other one.
 */
export class DestinationBalancer implements Balancer {
  limits: Limits = limitsOf(undefined);
  private policy: TrafficPolicy | undefined;
  private set: EndpointSet | undefined;
  private hosts: readonly Host[] = [];
  /** Also of endpoints that are gone, as long as requests to them are under way. */
  private readonly hostOf = new WeakMap<Endpoint, Host>();
  private outliers: Outliers | undefined;
  private chooser: Chooser | undefined;
  private readonly turn: Turn;
  private readonly family: Family;

  /** @param firstTurn 0 or more: where round robin begins, so that not all relays begin at the same host */
  constructor(family: Family, firstTurn: number) {
    this.family = family;
    this.turn = { next: firstTurn };
  }

  /** What stays of policy and endpoints keeps its state: turns, requests under way, ejections. */
  update(set: EndpointSet | undefined, policy: TrafficPolicy | undefined): void {
    if (set !== this.set) this.setEndpoints(endpointsOf(set, this.family));
    this.set = set;
    if (!isSame(policy, this.policy)) this.setPolicy(policy);
  }

  pick({ hash, tried, random }: Choice, now: number): Endpoint | undefined {
    if (this.outliers?.sweep(this.hosts, now) === true) this.chooser = undefined;
    this.chooser ??= this.newChooser();
    const avoided = new Set(tried.map((endpoint) => this.hostOf.get(endpoint)));
    let host: Host | undefined;
    for (let attempt = 0; attempt < choices; attempt++) {
      host = this.chooser({ hash, attempt, random });
      if (host === undefined || !avoided.has(host)) break;
    }
    return host?.endpoint;
  }

  started(endpoint: Endpoint): void {
    const host = this.hostOf.get(endpoint);
    if (host !== undefined) host.active++;
  }

  ended(endpoint: Endpoint, outcome: Outcome, now: number): void {
    const host = this.hostOf.get(endpoint);
    if (host === undefined) return;
    host.active--;
    if (this.outliers?.note(host, outcome, this.hosts, now) === true) this.chooser = undefined;
  }

  private setEndpoints(endpoints: readonly Endpoint[]): void {
    const before = new Map(this.hosts.map((host) => [host.name, host]));
    this.hosts = endpoints.map((endpoint) => {
      const name = nameOf(endpoint);
      const host = before.get(name) ?? newHost(name, endpoint);
      host.endpoint = endpoint;
      this.hostOf.set(endpoint, host);
      return host;
    });
    this.chooser = undefined;
  }

  private setPolicy(policy: TrafficPolicy | undefined): void {
    this.policy = policy;
    this.limits = limitsOf(policy?.connectionPool);
    this.outliers = policy?.outlierDetection && new Outliers(policy.outlierDetection);
    if (this.outliers === undefined) for (const host of this.hosts) host.ejectedAt = undefined;
    this.chooser = undefined;
  }

  private newChooser(): Chooser {
    const healthy = this.hosts.filter(({ ejectedAt }) => ejectedAt === undefined);
    const isPanic = this.outliers?.isPanic(healthy.length, this.hosts.length) === true;
    const used = isPanic ? this.hosts : healthy;
    return used.length === 0 ? () => undefined : chooserOf(this.policy?.loadBalancer, used, this.turn);
  }
}

function endpointsOf(set: EndpointSet | undefined, family: Family): readonly Endpoint[] {
  // Those without an address are looked up by name, which nobody does here.
  const dialled = set?.endpoints.filter(({ address }) => address.length > 0) ?? [];
  const same = dialled.filter(({ address }) => familyOf(address) === family);
  return same.length > 0 ? same : dialled;
}

function isSame(one: TrafficPolicy | undefined, other: TrafficPolicy | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return one === other || equals(TrafficPolicySchema, one, other);
}
