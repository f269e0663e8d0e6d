import type { Endpoint, Model, RouteDestination, ServicePort } from "@keelson/model";

/** "version=v1,zone=a": labels in the order of their keys. */
export function formatLabels(labels: Readonly<Record<string, string>>): string {
  return Object.keys(labels)
    .sort()
    .map((key) => `${key}=${labels[key] ?? ""}`)
    .join(",");
}

/**
 * As Istio names clusters. The port is the destination's own, whichever one was dialled; "53/udp" is another one than
 * "53". The third field holds the labels themselves, since a RouteRule's subsets have no names.
 */
export function endpointSetName(model: Model, destination: RouteDestination, port: ServicePort): string {
  const { port: number, transport } = portOf(model, destination, port) ?? port;
  const written = transport === "TCP" ? `${number}` : `${number}/${transport.toLowerCase()}`;
  return `outbound|${written}|${formatLabels(destination.labels)}|${destination.hostname}`;
}

/**
 * The endpoints that a destination stands for, in the order of the model. Where the destination is another service, its
 * port of the same name counts, else that of the same number.
 */
export function endpointsOf(
  model: Model,
  destination: RouteDestination,
  port: ServicePort,
): readonly Endpoint[] {
  const target = portOf(model, destination, port);
  if (target === undefined) return [];
  const wanted = Object.entries(destination.labels);
  return (model.endpoints.get(destination.hostname) ?? []).filter(
    ({ portName, transport, labels }) =>
      portName === target.name &&
      transport === target.transport &&
      wanted.every(([key, value]) => labels[key] === value),
  );
}

function portOf(model: Model, { hostname }: RouteDestination, port: ServicePort): ServicePort | undefined {
  const ports = (model.services.get(hostname)?.ports ?? []).filter(
    ({ transport }) => transport === port.transport,
  );
  return (
    ports.find((candidate) => candidate === port) ??
    ports.find(({ name }) => name === port.name && name !== "") ??
    ports.find((candidate) => candidate.port === port.port)
  );
}

/** Why a destination has no endpoint, for people. */
export function whyNoEndpoint(model: Model, destination: RouteDestination, port: ServicePort): string {
  const { hostname, labels } = destination;
  if (!model.services.has(hostname)) return `there is no service ${hostname}`;
  const target = portOf(model, destination, port);
  if (target === undefined) {
    return `service ${hostname} has no port named "${port.name}" and none with number ${port.port}`;
  }
  const all = endpointsOf(model, { ...destination, labels: {} }, port);
  if (all.length === 0) return `service ${hostname} has no ready endpoint on port ${target.port}`;
  const chosen = formatLabels(labels);
  const there = [...new Set(all.map((endpoint) => formatLabels(onlyKeys(endpoint.labels, labels))))].filter(
    Boolean,
  );
  const hint = there.length === 0 ? "" : `; there are: ${there.sort().slice(0, 5).join("; ")}`;
  return `none of its ${all.length} endpoints has the labels ${chosen}${hint}`;
}

function onlyKeys(labels: Readonly<Record<string, string>>, keys: object): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([key]) => Object.hasOwn(keys, key)));
}
