import { type Absence, describeObject, type Endpoint, type Service, type ServicePort } from "@keelson/model";
import { endpointSetName, formatLabels } from "@keelson/protos";
import type { RouteDestination } from "@keelson/protos/route";
import type { Scene } from "./scene.ts";

/** A route's destination, looked up. */
export interface ResolvedDestination {
  readonly hostname: string;
  /** Name of the subset, if one was asked for. */
  readonly subset: string;
  /** Of the endpoints that are meant; empty: all. */
  readonly labels: Readonly<Record<string, string>>;
  /** At least one destination of a port has a weight above 0. */
  readonly weight: number;
  /** Name of the EndpointSet. */
  readonly endpointSet: string;
  /** Absent: `missing` says why. */
  readonly target?: ServicePort;
  /** Why this destination cannot exist, whatever endpoints there are; its share is refused. */
  readonly missing?: Missing;
}

/** Why something is not to be had, for people, and what would have to be there. */
export interface Missing {
  readonly why: string;
  readonly absent?: Absence;
}

/**
 * Where a route of a service's port leads. Without destinations of its own, it leaves the choice as it is without rules.
 * @param written by the route
 */
export function destinationsOf(
  scene: Scene,
  { hostname }: Service,
  port: ServicePort,
  written: readonly RouteDestination[],
): ResolvedDestination[] {
  if (written.length === 0) {
    return [resolveDestination(scene, { hostname, subset: "", labels: {}, port: port.port }, port, 100)];
  }
  const sum = written.reduce((total, { weight }) => total + weight, 0);
  const share = written.length === 1 ? 100 : 1;
  return written.map((to) => resolveDestination(scene, to, port, sum === 0 ? share : to.weight));
}

/** @param dialled the port that the route is asked for */
export function resolveDestination(
  scene: Scene,
  destination: Pick<RouteDestination, "hostname" | "subset" | "labels" | "port">,
  dialled: ServicePort,
  weight: number,
): ResolvedDestination {
  const { subset } = destination;
  const hostname = scene.canonical(destination.hostname);
  const target = portOf(scene, { hostname, port: destination.port }, dialled);
  const labels = subset === "" ? destination.labels : subsetLabels(scene, hostname, subset);
  const port = target?.port ?? (destination.port || dialled.port);
  const udp = dialled.transport === "UDP";
  const found = { hostname, subset, weight };
  if (target === undefined || labels === undefined) {
    const missing =
      target === undefined
        ? whyNoPort(scene, { hostname, port: destination.port }, dialled)
        : whyNoSubset(scene, hostname, subset);
    // A subset without labels stands for none at all here: no set with endpoints has such a name.
    const named = labels ?? { [subset]: "" };
    return {
      ...found,
      labels: labels ?? {},
      endpointSet: endpointSetName({ hostname, port, udp, labels: named }),
      missing,
    };
  }
  return { ...found, labels, target, endpointSet: endpointSetOf(hostname, target, labels) };
}

/** Resource name of the endpoints of a service's port that have these labels. */
export const endpointSetOf = (
  hostname: string,
  { port, transport }: ServicePort,
  labels: Readonly<Record<string, string>>,
): string => endpointSetName({ hostname, port, udp: transport === "UDP", labels });

/**
 * The port of a destination: the one it names; the dialled one of the same service; a service's only one; else the one of
 * the same number (Istio), else of the same name (Istio 0.2).
 */
function portOf(
  scene: Scene,
  { hostname, port }: Pick<RouteDestination, "hostname" | "port">,
  dialled: ServicePort,
): ServicePort | undefined {
  const ports = (scene.service(hostname)?.ports ?? []).filter(
    ({ transport }) => transport === dialled.transport,
  );
  if (port !== 0) return ports.find((candidate) => candidate.port === port);
  if (ports.includes(dialled) || ports.length === 1) return ports.includes(dialled) ? dialled : ports[0];
  return (
    ports.find((candidate) => candidate.port === dialled.port) ??
    ports.find(({ name }) => name === dialled.name && name !== "")
  );
}

function subsetLabels(scene: Scene, hostname: string, name: string): Record<string, string> | undefined {
  return scene.destinationRuleOf(hostname)?.policy.subsets.find((subset) => subset.name === name)?.labels;
}

function whyNoPort(
  scene: Scene,
  { hostname, port }: Pick<RouteDestination, "hostname" | "port">,
  dialled: ServicePort,
): Missing {
  const absent: Absence = { what: "service", hostname };
  const service = scene.service(hostname);
  if (service === undefined) return { why: `there is no service ${hostname}`, absent };
  const there = service.ports.map((candidate) => `${candidate.port}/${candidate.transport}`).join(", ");
  const why =
    port === 0
      ? `service ${hostname} has no port named "${dialled.name}" and none with number ${dialled.port}`
      : `service ${hostname} has no port ${port}/${dialled.transport}; it has ${there}`;
  return { why };
}

function whyNoSubset(scene: Scene, hostname: string, name: string): Missing {
  const rule = scene.destinationRuleOf(hostname);
  if (rule === undefined) {
    const why = `subset "${name}" does not exist, since there is no DestinationRule for ${hostname}`;
    return { why, absent: { what: "policy", hostname } };
  }
  const there = rule.policy.subsets.map((subset) => `"${subset.name}"`).join(", ");
  const hint = there === "" ? "it has none" : `it has ${there}`;
  return { why: `${describeObject(rule.object)} has no subset "${name}"; ${hint}` };
}

/** The endpoints of a service's port whose labels include all of `labels`, in the order of the model. */
export function selectEndpoints(
  endpoints: readonly Endpoint[],
  port: ServicePort,
  labels: Readonly<Record<string, string>>,
): readonly Endpoint[] {
  const wanted = Object.entries(labels);
  return endpoints.filter(
    (endpoint) =>
      endpoint.portName === port.name &&
      endpoint.transport === port.transport &&
      wanted.every(([key, value]) => endpoint.labels[key] === value),
  );
}

/** Whether nodes can connect to any of the destination's endpoints. */
export const isReachable = (scene: Scene, destination: ResolvedDestination): boolean =>
  endpointsOf(scene, destination).some(({ address }) => address.length > 0);

export function endpointsOf(
  scene: Scene,
  { hostname, target, labels }: ResolvedDestination,
): readonly Endpoint[] {
  return target === undefined ? [] : selectEndpoints(scene.endpoints(hostname), target, labels);
}

/** Why a destination has no endpoint, for people. */
export function whyNoEndpoint(scene: Scene, destination: ResolvedDestination): Missing {
  const { hostname, labels, target, missing } = destination;
  if (target === undefined) return missing ?? { why: "" };
  const all = selectEndpoints(scene.endpoints(hostname), target, {});
  if (all.length === 0) {
    const why = `service ${hostname} has no ready endpoint on port ${target.port}`;
    return { why, absent: { what: "endpoints", hostname } };
  }
  const byName = selectEndpoints(scene.endpoints(hostname), target, labels);
  if (byName.length > 0)
    return { why: `endpoints of ${hostname} are found by DNS, which nodes do not ask yet` };
  const chosen = formatLabels(labels);
  const there = [...new Set(all.map((endpoint) => formatLabels(onlyKeys(endpoint.labels, labels))))].filter(
    Boolean,
  );
  const hint = there.length === 0 ? "" : `; there are: ${there.sort().slice(0, 5).join("; ")}`;
  const why = `none of its ${all.length} endpoints has the labels ${chosen}${hint}`;
  return { why, absent: { what: "endpoints", hostname, byLabels: true } };
}

function onlyKeys(labels: Readonly<Record<string, string>>, keys: object): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([key]) => Object.hasOwn(keys, key)));
}
