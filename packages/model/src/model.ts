import type { ConfigObject } from "./config-object.ts";

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
  readonly object: ConfigObject;
}

/** One address behind one port of a service, taking new connections. */
export interface Endpoint {
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
  readonly port: number;
  /** Name of the service port it stands behind. */
  readonly portName: string;
  readonly transport: Transport;
  /** "namespace/pod", or empty. */
  readonly workload: string;
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
}

export interface RouteDestination {
  readonly hostname: string;
  /** Endpoints whose labels include all of these; empty: all endpoints. */
  readonly labels: Readonly<Record<string, string>>;
  /** 0–10,000, relative to the route's other destinations. */
  readonly weight: number;
}

/** What a route asks for beside a destination, by its field in the rule; each needs the relay. */
export interface RouteFeature {
  readonly field: string;
  readonly what: string;
}

/** Under which conditions a route counts. All absent: for every request. */
export interface RouteConditions {
  /** Names of the request's parts that are looked at, such as "header cookie"; empty: none. */
  readonly request: readonly string[];
  /** Which callers are meant, as text; absent: all. */
  readonly source?: string;
  /** Which addresses are meant, as text; absent: all. */
  readonly addresses?: string;
}

/** One rule for the requests or connections of a service. */
export interface Route {
  /** "namespace/name" of the rule. */
  readonly name: string;
  /** The higher one is asked first; among equals, the name that sorts first. */
  readonly precedence: number;
  readonly conditions: RouteConditions;
  /** Never empty. Absent: the rule leaves the choice as it is without rules. */
  readonly destinations?: readonly RouteDestination[];
  readonly features: readonly RouteFeature[];
  readonly object: ConfigObject;
}

/** All that the compiler needs to know at one moment. Immutable; parts that did not change stay the same objects. */
export interface Model {
  /** Sorted by hostname. */
  readonly services: ReadonlyMap<string, Service>;
  /** Hostname → endpoints of all its ports, sorted by address, then port. */
  readonly endpoints: ReadonlyMap<string, readonly Endpoint[]>;
  /** Hostname → routes, in the order in which they are asked. */
  readonly routes: ReadonlyMap<string, readonly Route[]>;
  /** Sorted by name. */
  readonly workloads: ReadonlyMap<string, Workload>;
}

export const serviceNameLabel = "kubernetes.io/service-name";

/** Byte order, for addresses of one length; the shorter one first. */
export function compareAddresses(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length) return a.length - b.length;
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
