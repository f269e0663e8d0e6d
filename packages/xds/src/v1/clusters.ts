import { hostAndPort } from "../envoy/names.ts";
import type { Age } from "./age.ts";
import type { Directory, V1Port, V1Service } from "./directory.ts";
import { isHttp2 } from "./protocols.ts";
import { egressProxyName, type Labels, outboundName, serviceKey } from "./service-key.ts";

/** Whom a cluster's connections are for; rules about hosts are asked by it. */
export interface Target {
  readonly hostname: string;
  readonly port: number;
  readonly labels: Labels;
  readonly identities: readonly string[];
  /** Its endpoints have proxies that take mutual TLS. */
  readonly inMesh: boolean;
}

/** A cluster before rules about its host are applied. */
export interface ClusterPlan {
  readonly name: string;
  /** Key by which its endpoints are asked for, or that stands for it. */
  readonly serviceName: string;
  readonly type: "sds" | "static" | "strict_dns" | "original_dst";
  /** host:port each. */
  readonly hosts: readonly string[];
  readonly http2: boolean;
  /** TLS to hosts outside the mesh. */
  readonly originatesTls: boolean;
  /** Absent: no rule is about it. */
  readonly target?: Target;
}

const plain = { serviceName: "", hosts: [], http2: false, originatesTls: false } as const;

/** The workload's own port. */
export const inboundCluster = (port: number, http2: boolean): ClusterPlan => ({
  ...plain,
  name: `in.${port}`,
  type: "static",
  hosts: [`127.0.0.1:${port}`],
  http2,
});

/** Where all connections to headless services go: to what the caller dialled. */
export const headlessCluster: ClusterPlan = {
  ...plain,
  name: "out.orig-dst-cluster-tcp",
  type: "original_dst",
  target: { hostname: "", port: 0, labels: {}, identities: [], inMesh: false },
};

interface Naming {
  readonly age: Age;
  /** host:port; where external names are reached. */
  readonly egressProxy: string;
}

/** Makes clusters for what callers call. */
export class OutboundClusters {
  private readonly directory: Directory;
  private readonly naming: Naming;

  constructor(directory: Directory, naming: Naming) {
    this.directory = directory;
    this.naming = naming;
  }

  /**
   * Endpoints of a host, of those with some labels if any are given.
   * @param port as the caller sees it; the key holds its name, also for a host whose port has another one (Pilot)
   */
  of(hostname: string, port: V1Port, labels: Labels = {}): ClusterPlan {
    const service = this.directory.get(hostname);
    const key = serviceKey(hostname, port.name, labels);
    const target = {
      hostname,
      port: port.port,
      labels,
      identities: service?.identities ?? [],
      // The egress proxy of 0.2 is in the mesh, and what 0.7 looks up is not.
      inMesh: service?.kind === "externalName" ? this.naming.age === "0.2" : service?.kind !== "outside",
    };
    const named = {
      ...plain,
      name: outboundName(key, this.naming.age),
      http2: isHttp2(port.protocol),
      target,
    };
    if (service?.kind === "externalName") return this.externalName(named, port);
    if (service?.kind === "outside") return { ...named, ...this.outside(service, port) };
    return { ...named, serviceName: key, type: "sds" };
  }

  /** 0.2 sends to the egress proxy what 0.7 looks up. */
  private externalName(named: Omit<ClusterPlan, "type">, { port }: V1Port): ClusterPlan {
    const { hostname = "" } = named.target ?? {};
    const hosts = [this.naming.age === "0.2" ? this.naming.egressProxy : hostAndPort(hostname, port)];
    return { ...named, type: "strict_dns", hosts };
  }

  /** Endpoints of hosts outside the mesh are few, and stand in the cluster. */
  private outside(service: V1Service, port: V1Port): Pick<ClusterPlan, "type" | "hosts"> {
    const own = service.ports.find(({ name }) => name === port.name) ?? port;
    const instances = this.directory.instances(service, own);
    const looksUp = instances.some(({ address }) => address === "");
    return {
      type: looksUp ? "strict_dns" : "static",
      hosts: instances.map(({ address, hostname, targetPort }) =>
        hostAndPort(address || hostname, targetPort),
      ),
    };
  }

  /** A host of an EgressRule: connections go to the address that the caller looked up. */
  egress(hostname: string, port: V1Port): ClusterPlan {
    const key = serviceKey(hostname, port.name);
    return {
      name: outboundName(key, this.naming.age),
      serviceName: key,
      type: "original_dst",
      hosts: [],
      http2: isHttp2(port.protocol),
      originatesTls: port.protocol === "HTTPS",
      target: { hostname, port: port.port, labels: {}, identities: [], inMesh: false },
    };
  }
}

/** The egress proxy's own way to an external name. */
export const externalNameCluster = ({ hostname, target }: V1Service, port: V1Port): ClusterPlan => ({
  ...plain,
  name: egressProxyName(serviceKey(hostname, port.name)),
  type: "strict_dns",
  hosts: [hostAndPort(target, port.port)],
  http2: isHttp2(port.protocol),
  originatesTls: port.protocol === "HTTPS",
});

/** Each name once, the first that has it; sorted by name. */
export function normaliseClusters(clusters: readonly ClusterPlan[]): ClusterPlan[] {
  const byName = new Map<string, ClusterPlan>();
  for (const cluster of clusters) if (!byName.has(cluster.name)) byName.set(cluster.name, cluster);
  return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
