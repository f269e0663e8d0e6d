import type { Endpoint, EndpointSet } from "@keelson/protos/policy";
import { addressKey } from "../addresses.ts";

/** A port of a workload that a service sends connections to. */
export interface WorkloadPort {
  readonly hostname: string;
  /** What callers dial. */
  readonly servicePort: number;
  /** What the workload listens on. */
  readonly port: number;
}

const none: readonly WorkloadPort[] = [];

/**
 * Which ports of which services an address serves, kept up to date with work proportional to the endpoint sets that
 * changed. An address whose ports did not change keeps its list.
 */
export class WorkloadPorts {
  private readonly byAddress = new Map<string, readonly WorkloadPort[]>();

  /** Sorted by the workload's port, then hostname, then service port. @param address as addressKey writes it */
  of(address: string): readonly WorkloadPort[] {
    return this.byAddress.get(address) ?? none;
  }

  replace(before: EndpointSet | undefined, after: EndpointSet | undefined): void {
    const service = serviceOf((after ?? before)?.name ?? "");
    if (service === undefined) return;
    const old = keyed(before?.endpoints ?? []);
    const now = keyed(after?.endpoints ?? []);
    for (const [key, { address, port }] of old) {
      if (!now.has(key)) this.remove(addressKey(address), { ...service, port });
    }
    for (const [key, { address, port }] of now) {
      if (!old.has(key)) this.add(addressKey(address), { ...service, port });
    }
  }

  private add(address: string, added: WorkloadPort): void {
    const ports = this.byAddress.get(address);
    this.byAddress.set(address, ports === undefined ? [added] : [...ports, added].sort(compare));
  }

  private remove(address: string, removed: WorkloadPort): void {
    const left = (this.byAddress.get(address) ?? none).filter((port) => compare(port, removed) !== 0);
    if (left.length === 0) this.byAddress.delete(address);
    else this.byAddress.set(address, left);
  }
}

const keyed = (endpoints: readonly Endpoint[]): Map<string, Endpoint> =>
  new Map(
    endpoints
      .filter(({ address }) => address.length > 0)
      .map((endpoint) => [`${addressKey(endpoint.address)}:${endpoint.port}`, endpoint]),
  );

function compare(a: WorkloadPort, b: WorkloadPort): number {
  if (a.port !== b.port) return a.port - b.port;
  if (a.hostname !== b.hostname) return a.hostname < b.hostname ? -1 : 1;
  return a.servicePort - b.servicePort;
}

/** Only the sets of all endpoints of a port tell: subsets hold nothing more. */
function serviceOf(setName: string): Omit<WorkloadPort, "port"> | undefined {
  // UDP ports, with "/udp" behind the number, have no listeners.
  const [, port, hostname] = /^outbound\|(\d+)\|\|(.+)$/.exec(setName) ?? [];
  return hostname === undefined ? undefined : { hostname, servicePort: Number(port) };
}
