import type { KubernetesObject } from "../../world/objects.ts";

export interface Endpoint {
  readonly address: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface ServiceOptions {
  /** HTTP on port 80 if left out; TCP gets a listener of its own. */
  readonly protocol?: "HTTP" | "TCP";
  readonly port?: number;
  /** Its own address. */
  readonly address?: string;
}

const networking = "networking.istio.io/v1";

/** A namespace whose objects are exported to nobody else, and the names that come of them. */
export class CaseWorld {
  readonly namespace: string;

  constructor(namespace: string) {
    this.namespace = namespace;
  }

  host(service: string): string {
    return `${service}.${this.namespace}.test`;
  }

  /** As Istio names clusters. */
  cluster(service: string, subset = "", port = 80): string {
    return `outbound|${port}|${subset}|${this.host(service)}`;
  }

  /** ServiceEntry with endpoints of its own. */
  service(
    name: string,
    endpoints: readonly (Endpoint | string)[],
    { protocol = "HTTP", port = 80, address }: ServiceOptions = {},
  ): KubernetesObject {
    return this.object("ServiceEntry", name, {
      hosts: [this.host(name)],
      ...(address === undefined ? {} : { addresses: [address] }),
      ports: [{ number: port, name: protocol.toLowerCase(), protocol }],
      location: "MESH_INTERNAL",
      resolution: "STATIC",
      endpoints: endpoints.map((each) => (typeof each === "string" ? { address: each } : each)),
      exportTo: ["."],
    });
  }

  /** DestinationRule. @param subsets by their label `version` @param policy trafficPolicy */
  destination(service: string, subsets: readonly string[], policy?: object): KubernetesObject {
    return this.object("DestinationRule", service, {
      host: this.host(service),
      ...(policy === undefined ? {} : { trafficPolicy: policy }),
      subsets: subsets.map((version) => ({ name: version, labels: { version } })),
      exportTo: ["."],
    });
  }

  /** VirtualService: all requests for one service go to another, or to a subset. */
  route(service: string, to: string, subset?: string): KubernetesObject {
    const destination = { host: this.host(to), ...(subset === undefined ? {} : { subset }) };
    return this.object("VirtualService", service, {
      hosts: [this.host(service)],
      http: [{ route: [{ destination }] }],
      exportTo: ["."],
    });
  }

  private object(kind: string, name: string, spec: object): KubernetesObject {
    return { apiVersion: networking, kind, metadata: { name, namespace: this.namespace }, spec };
  }
}
