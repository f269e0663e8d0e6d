// Kubernetes objects as plain values, with what the API server would fill in left out.
import type { PodRecord } from "./pod.ts";

/** The Kubernetes namespace of everything here. */
const namespace = "default";

export type KubernetesObject = Readonly<Record<string, unknown>>;

export interface ServicePort {
  readonly name: string;
  readonly port: number;
  /** Port of the pods. */
  readonly targetPort: number;
  /** TCP by default. */
  readonly protocol?: "TCP" | "UDP";
}

export interface ServiceRecord {
  readonly name: string;
  /** Cluster addresses, IPv4 or IPv6. */
  readonly addresses: readonly string[];
  readonly ports: readonly ServicePort[];
}

/** What an object says of a pod beside where it runs. */
export interface PodDetails {
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly hostNetwork?: boolean;
  /** At the API server, where that is another one than at the kubelet. */
  readonly uid?: string;
}

/** core/v1 Pod, as the kubelet reports one that runs. */
export function podObject(
  { name, uid, labels, node, ipv4, ipv6 }: PodRecord,
  { hostNetwork, ...metadata }: PodDetails = {},
): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace, uid, labels, ...metadata },
    spec: {
      nodeName: node,
      serviceAccountName: "default",
      ...(hostNetwork === undefined ? {} : { hostNetwork }),
    },
    status: { phase: "Running", podIP: ipv4, podIPs: [{ ip: ipv4 }, { ip: ipv6 }] },
  };
}

/** core/v1 Service. */
export function serviceObject({ name, addresses, ports }: ServiceRecord): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace },
    spec: {
      type: "ClusterIP",
      clusterIP: addresses[0],
      clusterIPs: addresses,
      ipFamilies: addresses.map((address) => (address.includes(":") ? "IPv6" : "IPv4")),
      ipFamilyPolicy: addresses.length > 1 ? "RequireDualStack" : "SingleStack",
      ports: ports.map((port) => ({ protocol: "TCP", ...port })),
    },
  };
}

/** discovery.k8s.io/v1 EndpointSlices of a service, one for each address family, as Kubernetes' controller makes them. */
export function endpointSlices(service: ServiceRecord, pods: readonly PodRecord[]): KubernetesObject[] {
  return (["IPv4", "IPv6"] as const).map((addressType) => ({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      name: `${service.name}-${addressType.toLowerCase()}`,
      namespace,
      labels: { "kubernetes.io/service-name": service.name },
    },
    addressType,
    endpoints: pods.map((pod) => ({
      addresses: [addressType === "IPv4" ? pod.ipv4 : pod.ipv6],
      conditions: { ready: true, serving: true, terminating: false },
      nodeName: pod.node,
      targetRef: { kind: "Pod", name: pod.name, namespace, uid: pod.uid },
    })),
    ports: service.ports.map(({ name, targetPort, protocol = "TCP" }) => ({
      name,
      port: targetPort,
      protocol,
    })),
  }));
}

export interface RuleRecord {
  readonly name: string;
  /** Name of the service. */
  readonly destination: string;
  readonly precedence?: number;
  readonly route: readonly { readonly labels?: Readonly<Record<string, string>>; readonly weight?: number }[];
}

/** config.istio.io/v1alpha2 RouteRule. */
export function routeRule({ name, destination, precedence = 1, route }: RuleRecord): KubernetesObject {
  return {
    apiVersion: "config.istio.io/v1alpha2",
    kind: "RouteRule",
    metadata: { name },
    spec: { destination: { name: destination }, precedence, route },
  };
}

/** networking.istio.io/v1 DestinationRule with a subset for each version. */
export function versionSubsets(
  host: string,
  versions: readonly string[],
  trafficPolicy?: object,
): KubernetesObject {
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "DestinationRule",
    metadata: { name: host, namespace },
    spec: {
      host,
      ...(trafficPolicy && { trafficPolicy }),
      subsets: versions.map((version) => ({ name: version, labels: { version } })),
    },
  };
}

/** networking.istio.io/v1 VirtualService with these HTTP routes, as they stand there. */
export function virtualService(host: string, http: readonly unknown[]): KubernetesObject {
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: host.replaceAll(".", "-"), namespace },
    spec: { hosts: [host], http },
  };
}

/** networking.istio.io/v1 ServiceEntry of a host whose addresses, at which callers dial it, are those of its endpoints. */
export function ownAddresses(host: string, addresses: readonly string[], port: number): KubernetesObject {
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "ServiceEntry",
    metadata: { name: host.replaceAll(".", "-"), namespace },
    spec: {
      hosts: [host],
      addresses,
      ports: [{ number: port, name: "http", protocol: "HTTP" }],
      resolution: "STATIC",
      endpoints: addresses.map((address) => ({ address })),
    },
  };
}
