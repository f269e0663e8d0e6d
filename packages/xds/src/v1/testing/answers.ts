import { create } from "@bufbuild/protobuf";
import { defaultLegacyMesh } from "@keelson/model";
import { LegacyMeshSchema } from "@keelson/protos/proxy";
import { aMesh, anIr, type IrParts } from "../../envoy/testing/builders.ts";
import type { Init } from "../../envoy/wire.ts";
import type { Age } from "../age.ts";
import { V1Discovery } from "../discovery.ts";
import { parseServiceNode } from "../service-node.ts";

export interface Route {
  readonly path?: string;
  readonly prefix?: string;
  readonly cluster?: string;
  readonly weighted_clusters?: { readonly clusters: readonly { name: string; weight: number }[] };
  readonly headers?: readonly object[];
  readonly [field: string]: unknown;
}

export interface VirtualHost {
  readonly name: string;
  readonly domains: readonly string[];
  readonly routes: readonly Route[];
}

export interface Cluster {
  readonly name: string;
  readonly service_name?: string;
  readonly [field: string]: unknown;
}

export interface Filter {
  readonly name: string;
  readonly config: FilterConfig;
}

export interface FilterConfig {
  readonly filters?: readonly Filter[];
  readonly route_config?: { readonly virtual_hosts?: readonly VirtualHost[] };
  readonly [field: string]: unknown;
}

export interface Listener {
  readonly name: string;
  readonly address: string;
  readonly filters: readonly Filter[];
  readonly [field: string]: unknown;
}

type MeshFields = Init<typeof LegacyMeshSchema>;

/** What a proxy is told, read as people look at it. */
export class Answers {
  readonly discovery: V1Discovery;
  private readonly age: Age;

  constructor(parts: IrParts, { age = "0.2", mesh = {} }: { age?: Age; mesh?: MeshFields } = {}) {
    const legacy = create(LegacyMeshSchema, { ...defaultLegacyMesh(), ...mesh });
    this.discovery = new V1Discovery(anIr({ mesh: aMesh({ legacy }), ...parts }), age);
    this.age = age;
  }

  clusters(node = sidecar()): readonly Cluster[] {
    return (this.discovery.clusters(this.node(node)) as { clusters: Cluster[] }).clusters;
  }

  /** By its key, or by its name if it has none. */
  cluster(key: string, node?: string): Cluster | undefined {
    return this.clusters(node).find(({ name, service_name: own }) => own === key || name === key);
  }

  listeners(node = sidecar()): readonly Listener[] {
    return (this.discovery.listeners(this.node(node)) as { listeners: Listener[] }).listeners;
  }

  listener(name: string, node?: string): Listener | undefined {
    return this.listeners(node).find((listener) => listener.name === name);
  }

  hosts(name: string, node = sidecar()): readonly VirtualHost[] {
    return (this.discovery.routes(name, this.node(node)) as { virtual_hosts: VirtualHost[] }).virtual_hosts;
  }

  /** Routes of port 80 of a service called "reviews", whose port is called "http". */
  routes(node?: string, key = "reviews.default.svc.cluster.local|http"): readonly Route[] {
    return this.hosts("80", node).find(({ name }) => name === key)?.routes ?? [];
  }

  /** "10.1.0.1:8080" each. */
  endpoints(key: string): string[] {
    const { hosts } = this.discovery.endpoints(key) as { hosts: { ip_address: string; port: number }[] };
    return hosts.map(({ ip_address: address, port }) => `${address}:${port}`);
  }

  private node(text: string): ReturnType<typeof parseServiceNode> {
    return parseServiceNode(text, this.age);
  }
}

/** A sidecar in namespace default, of a workload that serves nothing unless an address says so. */
export const sidecar = (address = "10.9.9.9", namespace = "default"): string =>
  `sidecar~${address}~caller.${namespace}~${namespace}.svc.cluster.local`;
