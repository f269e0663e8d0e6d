import type { Resolution } from "@keelson/protos/policy";
import type { Extension, Gateway, Mesh, PeerAuthentication, SidecarScope } from "@keelson/protos/proxy";
import type { RouteTable } from "@keelson/protos/route";
import type { HostPolicy } from "@keelson/protos/traffic-policy";
import type { ConfigObject, FieldPath } from "./config-object.ts";

/**
 * The application protocol of a service port, as Istio tells it from appProtocol or the port's name
 * ("Protocol Selection" in Istio's documentation). "unknown" is treated as TCP.
 */
export const applicationProtocols = [
  "grpc",
  "grpc-web",
  "http",
  "http_proxy",
  "http2",
  "https",
  "mongo",
  "mysql",
  "redis",
  "tcp",
  "tls",
  "udp",
  "unknown",
] as const;
export type ApplicationProtocol = (typeof applicationProtocols)[number];

export type Transport = "TCP" | "UDP";

export interface ServicePort {
  /** 1–65535, as callers dial it. */
  readonly port: number;
  /** May be empty where the service has only one port. */
  readonly name: string;
  readonly transport: Transport;
  readonly protocol: ApplicationProtocol;
}

/** Something that callers dial. Legacy and modern APIs, and all registries, become this. */
export interface Service {
  /** "reviews.default.svc.cluster.local" */
  readonly hostname: string;
  readonly namespace: string;
  /** Virtual addresses, 4 or 16 bytes each; none for a headless service. */
  readonly addresses: readonly Uint8Array[];
  /** Sorted by port, then transport. */
  readonly ports: readonly ServicePort[];
  readonly resolution: Resolution;
  /** Lives outside the mesh. */
  readonly meshExternal: boolean;
  /** Namespaces that see the service, sorted; empty: all. */
  readonly exportedTo: readonly string[];
  /** SPIFFE ids that its endpoints may show beside those of their own service accounts. */
  readonly identities: readonly string[];
  /** Other names of the service, sorted. */
  readonly aliases: readonly string[];
  /** CIDR blocks that mean the service beside its addresses, sorted. */
  readonly addressBlocks: readonly string[];
  /** "namespace/name" of the waypoint that callers pass through; empty: none. */
  readonly waypoint: string;
  /** Labels by which Kubernetes chooses the workloads of its namespace that belong to it; absent where it does not. */
  readonly selector?: Readonly<Record<string, string>>;
  /** Endpoints that drain are still there for the sessions that they have; left out: they are not. */
  readonly keepsSessions?: true;
  readonly object: ConfigObject;
}

/** One address behind one port of a service, taking new connections unless it drains. */
export interface Endpoint {
  /** 4 or 16 bytes; none where a hostname is to be looked up. */
  readonly address: Uint8Array;
  /** Empty where there is an address. */
  readonly hostname: string;
  readonly port: number;
  /** Name of the service port it stands behind. */
  readonly portName: string;
  readonly transport: Transport;
  /** 1–10,000. */
  readonly weight: number;
  /** "namespace/pod", or empty. */
  readonly workload: string;
  /** Namespace of the workload, which its service account belongs to. */
  readonly namespace: string;
  /** Empty if it has no identity. */
  readonly serviceAccount: string;
  /** Region, zone and sub-zone, separated by "/"; may be empty. */
  readonly locality: string;
  /** It takes mutual TLS of the mesh. */
  readonly mutualTls: boolean;
  /** It is reached through a tunnel of the mesh (HBONE). */
  readonly tunnel: boolean;
  /** It takes no new connections, and is there for sessions that it has. */
  readonly draining?: true;
  /** The workload's labels, which routes choose by. */
  readonly labels: Readonly<Record<string, string>>;
}

/** A pod that may call services. */
export interface Workload {
  /** "namespace/pod" */
  readonly name: string;
  readonly namespace: string;
  readonly addresses: readonly Uint8Array[];
  readonly node: string;
  readonly serviceAccount: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  /** That the kubelet's probes look at, sorted. */
  readonly probePorts: readonly number[];
  /** Why nodes leave its calls alone; left out: they do not. */
  readonly leftAlone?: LeftAlone;
}

/** It shares its node's network; a label of it, or of its namespace, says so; a sidecar decides its calls. */
export type LeftAlone = "host network" | "opted out" | "namespace opted out" | "sidecar";

/** A service that is another name for a host. */
export interface ExternalName {
  readonly hostname: string;
  readonly namespace: string;
  readonly target: string;
  /** Sorted by port, then transport. */
  readonly ports: readonly ServicePort[];
}

/** Where a route stands in what the user wrote. */
export interface RouteOrigin {
  readonly object: ConfigObject;
  /** Of the route inside the object's body. */
  readonly path: FieldPath;
  /** As written in a RouteRule: the higher one is asked first. 0 for all other kinds. */
  readonly precedence: number;
}

/** A route table, and where each of its routes comes from, index by index. */
export interface RouteSource {
  readonly table: RouteTable;
  readonly http: readonly RouteOrigin[];
  readonly tcp: readonly RouteOrigin[];
  readonly tls: readonly RouteOrigin[];
}

/** A traffic policy of one host, and the object that says so. */
export interface PolicySource {
  readonly policy: HostPolicy;
  readonly object: ConfigObject;
}

/** All that the compiler needs to know at one moment. Immutable; parts that did not change stay the same objects. */
export interface Model {
  readonly mesh: Mesh;
  /** Sorted by hostname. */
  readonly services: ReadonlyMap<string, Service>;
  /** By hostname, in the order of the services. */
  readonly externalNames: ReadonlyMap<string, ExternalName>;
  /** Hostname → endpoints of all its ports, sorted by address, then port. */
  readonly endpoints: ReadonlyMap<string, readonly Endpoint[]>;
  /** By name, in the order in which they are asked. */
  readonly routes: ReadonlyMap<string, RouteSource>;
  /** By name, in the order in which they are asked. */
  readonly policies: ReadonlyMap<string, PolicySource>;
  /** Sorted by name. */
  readonly gateways: ReadonlyMap<string, Gateway>;
  /** By name, in the order in which they are asked. */
  readonly sidecarScopes: ReadonlyMap<string, SidecarScope>;
  /** By name, in the order in which requests pass through those of one phase. */
  readonly extensions: ReadonlyMap<string, Extension>;
  /** By name, the older one first. */
  readonly peerAuthentications: ReadonlyMap<string, PeerAuthentication>;
  /** Sorted by name. */
  readonly workloads: ReadonlyMap<string, Workload>;
}

/** What a route table names as its gateway to be for all sidecars and nodes. */
export const meshGateway = "mesh";

/** Byte order, for addresses of one length; the shorter one first. */
export function compareAddresses(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length) return a.length - b.length;
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
