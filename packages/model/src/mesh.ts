import type { Origin } from "./diagnostic.ts";

/** What is known of the protocol on a port, by Istio's rules for port names and appProtocol. */
export type AppProtocol = "http" | "http2" | "grpc" | "tls" | "tcp" | "udp";

export interface Endpoint {
  /** IPv4 or IPv6, as text. */
  readonly address: string;
  readonly port: number;
  /** Takes new connections: ready, and not terminating. */
  readonly ready: boolean;
  /** "namespace/pod"; "" where no pod stands behind the address. */
  readonly workload: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface ServicePort {
  /** The port that callers dial. */
  readonly port: number;
  readonly name: string;
  readonly protocol: "TCP" | "UDP";
  readonly appProtocol: AppProtocol;
  /** Sorted by address, then port. */
  readonly endpoints: readonly Endpoint[];
}

/** One destination of a route: the service's endpoints that carry all of `labels`. */
export interface Subset {
  readonly labels: Readonly<Record<string, string>>;
  /** Relative to the sum over the route. */
  readonly weight: number;
}

/** A rule for the requests to a service, whatever API it was written in. */
export interface Route {
  readonly origin: Origin;
  /** Higher goes first. */
  readonly precedence: number;
  /** What a request must be for the rule to hold, in words; empty: the rule holds for all. */
  readonly conditions: readonly string[];
  /** Fields that ask for more than a choice of endpoint ("httpFault", "redirect" …). */
  readonly actions: readonly string[];
  readonly subsets: readonly Subset[];
}

/** A service with everything that decides where its connections go. */
export interface Service {
  readonly origin: Origin;
  /** "reviews.default.svc.cluster.local" */
  readonly hostname: string;
  readonly namespace: string;
  /** Virtual addresses that callers dial; none for a headless service. */
  readonly addresses: readonly string[];
  /** Sorted by port, then protocol. */
  readonly ports: readonly ServicePort[];
  /** In the order in which they are tried. */
  readonly routes: readonly Route[];
}

/** A pod that may call services. */
export interface Workload {
  /** "namespace/name" */
  readonly name: string;
  readonly namespace: string;
  readonly addresses: readonly string[];
  readonly node: string;
  readonly serviceAccount: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** All that the compiler needs. Parts that did not change are the same objects as in the model before. */
export interface Mesh {
  /** Sorted by hostname. */
  readonly services: readonly Service[];
  /** Sorted by name. */
  readonly workloads: readonly Workload[];
}
