import { create } from "@bufbuild/protobuf";
import { type EndpointSet, PortRouteSchema, type Workload } from "@keelson/protos/policy";
import { RouteNames } from "../../route-name.ts";
import { Balancers } from "../policy/balancer/balancers.ts";
import { PortRouter } from "../policy/port-router.ts";
import type { RelayService } from "../relay.ts";
import { addressOf } from "./endpoint-address.ts";

/** A service port that the relay answers for. */
export interface RoutedService extends RelayService {
  readonly router: PortRouter;
  readonly routeNames: RouteNames;
}

/** What differs from the policy before; undefined: it is gone. */
export interface PolicyDifference {
  readonly services: ReadonlyMap<bigint, RelayService | undefined>;
  readonly endpointSets: ReadonlyMap<string, EndpointSet | undefined>;
  readonly workloads: ReadonlyMap<bigint, Workload | undefined>;
}

/** The policy that requests are answered by. A change is one step: a request is decided by the one before or by the one after. */
export class PolicyState {
  private readonly services = new Map<bigint, RoutedService>();
  private readonly sets = new Map<string, EndpointSet>();
  /** Of all endpoints; undefined: nobody has asked since they changed. */
  private addresses: ReadonlySet<string> | undefined;
  private readonly workloads = new Map<bigint, Workload>();
  readonly balancers: Balancers;
  /** Who waits for the first policy; undefined: there is one. */
  private waiting: Set<() => void> | undefined = new Set();

  /** @param random 0 up to 1, as Math.random */
  constructor(random: () => number) {
    this.balancers = new Balancers(random);
  }

  /**
   * Calls back once there is a policy: at once where there is one.
   * @returns what takes that back
   */
  whenKnown(callback: () => void): () => void {
    const { waiting } = this;
    if (waiting === undefined) callback();
    else waiting.add(callback);
    return () => waiting?.delete(callback);
  }

  /**
   * @param isWhole what is not named is gone
   * @throws Error for a route that cannot be used; then nothing has changed
   */
  apply({ services, endpointSets, workloads }: PolicyDifference, isWhole = false): void {
    const routed = new Map(
      [...services].map(([identifier, service]) => [identifier, service && routedService(service)]),
    );
    if (isWhole) for (const map of [this.services, this.sets, this.workloads]) map.clear();
    assign(this.services, routed);
    assign(this.sets, endpointSets);
    assign(this.workloads, workloads);
    this.balancers.update(this.sets);
    this.addresses = undefined;
    const { waiting } = this;
    this.waiting = undefined;
    for (const callback of waiting ?? []) callback();
  }

  /** Whether any destination has an endpoint there. @param address "address:port" */
  hasEndpoint(address: string): boolean {
    this.addresses ??= new Set(
      [...this.sets.values()].flatMap(({ endpoints }) =>
        endpoints.map((endpoint) => addressOf(endpoint).text),
      ),
    );
    return this.addresses.has(address);
  }

  service(identifier: bigint): RoutedService | undefined {
    return this.services.get(identifier);
  }

  workload(identifier: bigint): Workload | undefined {
    return this.workloads.get(identifier);
  }
}

/** A port that has lost its routes answers on open connections as it does for new ones, which go past the relay. */
function routedService(service: RelayService): RoutedService {
  const { port } = service;
  const { destinations } = port;
  const routes =
    port.routes.length > 0 ? port.routes : [create(PortRouteSchema, { route: {}, destinations })];
  const router = new PortRouter({ port: { ...port, routes } });
  return { ...service, router, routeNames: new RouteNames(port) };
}

function assign<K, V>(target: Map<K, V>, changes: ReadonlyMap<K, V | undefined>): void {
  for (const [key, value] of changes) {
    if (value === undefined) target.delete(key);
    else target.set(key, value);
  }
}
