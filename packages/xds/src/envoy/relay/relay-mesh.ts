import type { EndpointSet, ServicePort, Workload } from "@keelson/protos/policy";
import type { CallerTraits } from "../context.ts";

/** A network namespace in which an Envoy is the relay. */
export interface RelayPlace {
  readonly cookie: bigint;
  /** Where Envoy can enter it. */
  readonly path: string;
  /** On 127.0.0.1; 0: not there. */
  readonly port4: number;
  /** On ::1; 0: not there. */
  readonly port6: number;
}

/** A service port whose requests are decided one by one. */
export interface RelayedPort {
  readonly hostname: string;
  readonly port: ServicePort;
}

/** All that an Envoy which is a node's relay is configured by; identifiers are those of the node's maps. */
export interface RelayMesh {
  readonly services: ReadonlyMap<bigint, RelayedPort>;
  readonly endpointSets: ReadonlyMap<string, EndpointSet>;
  readonly workloads: ReadonlyMap<bigint, Workload>;
  readonly places: readonly RelayPlace[];
}

/** Who calls a service port, as far as its routes look at that; undefined: anybody. */
export interface RelayCaller {
  readonly identifier: bigint;
  readonly workload: Workload;
}

/** Those of whom the routes of a port must be made for each, since they look at who calls; else anybody alone. */
export function callersOf({ port }: RelayedPort, { workloads }: RelayMesh): (RelayCaller | undefined)[] {
  const looks =
    port.routes.some(({ route }) => route?.matches.some(({ source }) => source !== undefined)) ||
    port.connectionRoutes.some(({ route }) => route?.matches.some(({ source }) => source !== undefined));
  if (!looks) return [undefined];
  return [undefined, ...Array.from(workloads, ([identifier, workload]) => ({ identifier, workload }))];
}

/** What is known of a caller. */
export const traitsOfCaller = (caller: RelayCaller | undefined): CallerTraits => ({
  namespace: caller?.workload.namespace ?? "",
  labels: Object.fromEntries((caller?.workload.labels ?? []).map(({ key, value }) => [key, value])),
  hostnames: [],
});
