import { type Endpoint, formatAddress, type Service, spiffeId } from "@keelson/model";
import { Resolution } from "@keelson/protos/policy";

/** istiod's numbers for how the endpoints of a service are found. */
const resolutions: Readonly<Partial<Record<Resolution, number>>> = {
  [Resolution.STATIC]: 0,
  [Resolution.DNS]: 1,
  [Resolution.PASSTHROUGH]: 2,
  [Resolution.DNS_ROUND_ROBIN]: 3,
};

/** A service with the fields that istiod shows of it. */
export function serviceJson(service: Service, clusterId: string): object {
  const { hostname, namespace, addresses, ports, resolution, meshExternal, exportedTo, aliases, object } =
    service;
  const isKubernetes = object.kind === "Service";
  const texts = addresses.map((address) => formatAddress(address));
  return {
    Attributes: {
      ServiceRegistry: isKubernetes ? "Kubernetes" : "External",
      Name: isKubernetes ? object.metadata.name : hostname,
      Namespace: namespace,
      Labels: orNull(object.metadata.labels),
      ExportTo: exportedTo.length === 0 ? null : Object.fromEntries(exportedTo.map((name) => [name, {}])),
      Aliases:
        aliases.length === 0 ? null : aliases.map((name) => ({ Hostname: name, Namespace: namespace })),
      ObjectName: isKubernetes ? "" : object.metadata.name,
    },
    ports: ports.map(({ name, port, protocol }) => ({ name, port, protocol: protocolName(protocol) })),
    creationTime: object.metadata.creationTimestamp || undefined,
    hostname,
    clusterVIPs: { Addresses: isKubernetes && texts.length > 0 ? { [clusterId]: texts } : null },
    defaultAddress: texts[0] ?? "0.0.0.0",
    Resolution: resolutions[resolution] ?? 0,
    MeshExternal: meshExternal,
  };
}

/** An endpoint with the fields that istiod shows of it. */
export function endpointJson(endpoint: Endpoint, clusterId: string, trustDomain: string): object {
  const { address, hostname, port, portName, weight, workload, namespace, locality, mutualTls, labels } =
    endpoint;
  return {
    Labels: labels,
    Addresses: [hostname === "" ? formatAddress(address) : hostname],
    ServicePortName: portName,
    ServiceAccount: accountOf(endpoint, trustDomain),
    Locality: { Label: locality, ClusterID: clusterId },
    EndpointPort: port,
    LbWeight: weight,
    TLSMode: mutualTls ? "istio" : "disabled",
    Namespace: namespace,
    WorkloadName: workload.split("/")[1] ?? "",
  };
}

export const accountOf = ({ serviceAccount, namespace }: Endpoint, trustDomain: string): string =>
  serviceAccount === "" ? "" : spiffeId(trustDomain, namespace, serviceAccount);

/** istiod calls what it must find out by itself "UnsupportedProtocol". */
const protocolName = (protocol: string): string => {
  if (protocol === "unknown") return "UnsupportedProtocol";
  return protocol === "grpc-web" ? "GRPC-Web" : protocol.toUpperCase();
};

const orNull = (labels: Readonly<Record<string, string>>): object | null =>
  Object.keys(labels).length === 0 ? null : labels;
