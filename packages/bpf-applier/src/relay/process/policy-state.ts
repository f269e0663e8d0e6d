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

interface Held {
  readonly services: Map<bigint, RoutedService>;
  readonly sets: Map<string, EndpointSet>;
  readonly workloads: Map<bigint, Workload>;
}

const none = (): Held => ({ services: new Map(), sets: new Map(), workloads: new Map() });

/** The policy that requests are answered by. A change is one step: a request is decided by the one before or by the one after. */
export class PolicyState {
  private held = none();
  /** What a whole policy has replaced, until the next change. */
  private before: Held | undefined;
  /** Of all endpoints; undefined: nobody has asked since they changed. */
  private addresses: ReadonlySet<string> | undefined;
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
    this.before = isWhole ? this.held : undefined;
    if (isWhole) this.held = none();
    assign(this.held.services, routed);
    assign(this.held.sets, endpointSets);
    assign(this.held.workloads, workloads);
    this.onChange();
    const { waiting } = this;
    this.waiting = undefined;
    for (const callback of waiting ?? []) callback();
  }

  /** What the last change has replaced counts again. @throws Error if that was no whole policy */
  takeBack(): void {
    if (this.before === undefined)
      throw new Error("the last change of the policy was no whole one, and cannot be taken back");
    this.held = this.before;
    this.before = undefined;
    this.onChange();
  }

  private onChange(): void {
    this.balancers.update(this.held.sets);
    this.addresses = undefined;
  }

  /** Whether any destination has an endpoint there. @param address "address:port" */
  hasEndpoint(address: string): boolean {
    this.addresses ??= new Set(
      [...this.held.sets.values()].flatMap(({ endpoints }) =>
        endpoints.map((endpoint) => addressOf(endpoint).text),
      ),
    );
    return this.addresses.has(address);
  }

  service(identifier: bigint): RoutedService | undefined {
    return this.held.services.get(identifier);
  }

  workload(identifier: bigint): Workload | undefined {
    return this.held.workloads.get(identifier);
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
