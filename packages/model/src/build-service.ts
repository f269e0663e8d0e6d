import { isIP } from "node:net";
import { appProtocolOf } from "./app-protocol.ts";
import type { Origin } from "./diagnostic.ts";
import type { EndpointSlice } from "./kubernetes/endpoint-slice.ts";
import type { Pod } from "./kubernetes/pod.ts";
import type { KubernetesService } from "./kubernetes/service.ts";
import type { Endpoint, Route, Service, ServicePort } from "./mesh.ts";
import { clusterDomain } from "./names.ts";

/** Everything that a service is built from; the parts are compared by identity to see whether it changed. */
export interface ServiceParts {
  readonly service: { readonly origin: Origin; readonly value: KubernetesService };
  readonly slices: readonly EndpointSlice[];
  /** The pods that the slices refer to, in no special order. */
  readonly pods: ReadonlyMap<string, Pod>;
  readonly routes: readonly Route[];
}

type SpecPort = KubernetesService["spec"]["ports"][number];
type SliceEndpoint = EndpointSlice["endpoints"][number];

export const serviceHostname = (namespace: string, name: string): string =>
  `${name}.${namespace}.svc.${clusterDomain}`;

/** "namespace/name" of the pod that an endpoint says it is. */
export function podOf({ targetRef }: SliceEndpoint, sliceNamespace: string): string {
  return targetRef?.kind === "Pod" ? `${targetRef.namespace ?? sliceNamespace}/${targetRef.name}` : "";
}

function addressesOf({ clusterIP, clusterIPs, type }: KubernetesService["spec"]): string[] {
  if (type === "ExternalName") return [];
  const all = clusterIPs.length > 0 ? clusterIPs : [clusterIP];
  return all.filter((address) => isIP(address) !== 0);
}

/** Unset conditions read as Kubernetes says: ready unless told otherwise, and never while terminating. */
const isReady = ({ conditions }: SliceEndpoint): boolean =>
  (conditions.ready ?? true) && !(conditions.terminating ?? false);

function endpointsOf(port: SpecPort, { slices, pods }: ServiceParts): Endpoint[] {
  const endpoints = slices.flatMap((slice) => {
    const target = slice.ports.find(({ name, protocol }) => name === port.name && protocol === port.protocol)?.port;
    if (target === undefined || slice.addressType === "FQDN") return [];
    return slice.endpoints.flatMap((endpoint) => {
      const workload = podOf(endpoint, slice.metadata.namespace);
      const labels = pods.get(workload)?.metadata.labels ?? {};
      return endpoint.addresses.map((address) => ({
        address,
        port: target,
        ready: isReady(endpoint),
        workload,
        labels,
      }));
    });
  });
  return unique(endpoints.sort(byAddress));
}

const byAddress = (a: Endpoint, b: Endpoint): number =>
  a.address < b.address ? -1 : Number(a.address > b.address) || a.port - b.port;

/** An endpoint may be in two slices for a moment while it moves between them (EndpointSlice's documentation). */
const unique = (sorted: readonly Endpoint[]): Endpoint[] =>
  sorted.filter(({ address, port }, i) => address !== sorted[i - 1]?.address || port !== sorted[i - 1]?.port);

function portOf(port: SpecPort, parts: ServiceParts): ServicePort[] {
  if (port.protocol === "SCTP") return [];
  return [
    {
      port: port.port,
      name: port.name,
      protocol: port.protocol,
      appProtocol: appProtocolOf(port.protocol, port.name, port.appProtocol),
      endpoints: endpointsOf(port, parts),
    },
  ];
}

/** Brings together what Kubernetes spreads over Service, EndpointSlices and Pods, with the rules for it. */
export function buildService(parts: ServiceParts): Service {
  const { origin, value } = parts.service;
  return {
    origin,
    hostname: serviceHostname(value.metadata.namespace, value.metadata.name),
    namespace: value.metadata.namespace,
    addresses: addressesOf(value.spec),
    ports: value.spec.ports
      .flatMap((port) => portOf(port, parts))
      .sort((a, b) => a.port - b.port || (a.protocol < b.protocol ? -1 : 1)),
    routes: parts.routes,
  };
}
