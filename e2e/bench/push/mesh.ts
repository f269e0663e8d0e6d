import type { KubernetesObject } from "../../world/objects.ts";

/** A mesh of services that look alike, in namespaces whose sidecars see a part of it each. */
export interface MeshSize {
  readonly services: number;
  readonly endpointsPerService: number;
}

/** Services in a namespace, and in what its Sidecar lets its proxies see. */
export const scopeSize = 50;

/** The one service that all sidecars see. */
export const sharedService = 0;

/** Port of all services; for HTTP, so that there is one route configuration, named after it. */
export const servicePort = 80;

export const namespacesOf = ({ services }: MeshSize): number => Math.ceil(services / scopeSize);

export const namespaceOf = (service: number): number => Math.floor(service / scopeSize);

export const namespaceName = (namespace: number): string => `ns-${namespace}`;

export const serviceName = (service: number): string => `service-${service}`;

export const hostname = (service: number): string =>
  `${serviceName(service)}.${namespaceName(namespaceOf(service))}.test`;

/** As Istio names what has a service's endpoints. */
export const clusterName = (service: number): string => `outbound|${servicePort}||${hostname(service)}`;

/** The `index`th address of 10.0.0.0/8 from `start` on. */
const address = (start: number, index: number): string => {
  const number = start + index;
  return `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
};

const firstEndpoint = 0x010000;
const firstChanged = 0x800000;
const firstClient = 0xa00000;
const firstService = 0xe00000;

/** Address of a simulated proxy; no endpoint has it. */
export const clientAddress = (client: number): string => address(firstClient, client);

/** The address that the `change`th change of a run gives to an endpoint; nothing else has it. */
export const changedAddress = (change: number): string => address(firstChanged, change);

/** Which addresses the endpoints of each service have now. */
export class MeshState {
  readonly size: MeshSize;
  private readonly changed = new Map<number, { readonly addresses: string[]; times: number }>();

  constructor(size: MeshSize) {
    this.size = size;
  }

  private addresses(service: number): string[] {
    const { endpointsPerService } = this.size;
    return (
      this.changed.get(service)?.addresses ??
      Array.from({ length: endpointsPerService }, (_, i) =>
        address(firstEndpoint, service * endpointsPerService + i),
      )
    );
  }

  /** One endpoint of a service gets this address; it keeps it until all others had their turn. */
  change(service: number, change: number): void {
    const state = this.changed.get(service) ?? { addresses: this.addresses(service), times: 0 };
    state.addresses[state.times % state.addresses.length] = changedAddress(change);
    state.times += 1;
    this.changed.set(service, state);
  }

  /** networking.istio.io/v1 ServiceEntry. */
  serviceEntry(service: number) {
    return {
      apiVersion: "networking.istio.io/v1",
      kind: "ServiceEntry",
      metadata: { name: serviceName(service), namespace: namespaceName(namespaceOf(service)) },
      spec: {
        hosts: [hostname(service)],
        addresses: [address(firstService, service)],
        location: "MESH_INTERNAL",
        resolution: "STATIC",
        ports: [{ number: servicePort, name: "http", protocol: "HTTP" }],
        endpoints: this.addresses(service).map((each, i) => ({
          address: each,
          ports: { http: 8080 },
          labels: { app: serviceName(service), version: i % 2 === 0 ? "v1" : "v2" },
        })),
      },
    } satisfies KubernetesObject;
  }

  /** Services that the sidecars of a namespace see: its own, but for the first, and the one that all see. */
  scope(namespace: number): number[] {
    const own = Array.from({ length: scopeSize }, (_, i) => namespace * scopeSize + i);
    return [sharedService, ...own.slice(1).filter((service) => service < this.size.services)];
  }

  /** networking.istio.io/v1 Sidecar. */
  sidecar(namespace: number): KubernetesObject {
    const hosts = this.scope(namespace).map(
      (service) => `${namespaceName(namespaceOf(service))}/${hostname(service)}`,
    );
    return {
      apiVersion: "networking.istio.io/v1",
      kind: "Sidecar",
      metadata: { name: "default", namespace: namespaceName(namespace) },
      spec: { egress: [{ hosts }] },
    };
  }
}
