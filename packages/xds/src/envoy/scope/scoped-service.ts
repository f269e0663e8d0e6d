import type { Service, ServicePort } from "@keelson/protos/policy";

/** A service as one scope sees it: with all of its ports, or only with the one that a listener is for. */
export interface ScopedService {
  readonly service: Service;
  readonly ports: readonly ServicePort[];
}

const whole = new WeakMap<Service, ScopedService>();
const trimmed = new WeakMap<ServicePort, ScopedService>();

/** The same object for the same service. */
export function wholeService(service: Service): ScopedService {
  const known = whole.get(service);
  if (known !== undefined) return known;
  const scoped = { service, ports: service.ports };
  whole.set(service, scoped);
  return scoped;
}

/** The same object for the same service; undefined where it has no such port. */
export function trimmedService(service: Service, number: number): ScopedService | undefined {
  const port = service.ports.find((candidate) => candidate.port === number);
  if (port === undefined) return undefined;
  if (service.ports.length === 1) return wholeService(service);
  const known = trimmed.get(port);
  if (known !== undefined) return known;
  const scoped = { service, ports: [port] };
  trimmed.set(port, scoped);
  return scoped;
}

const wholes = new WeakMap<readonly Service[], readonly ScopedService[]>();

/** The same list for the same list. */
export function wholeServices(services: readonly Service[]): readonly ScopedService[] {
  const known = wholes.get(services);
  if (known !== undefined) return known;
  const scoped = services.map(wholeService);
  wholes.set(services, scoped);
  return scoped;
}
