import { isExportedTo } from "../envoy/index/services.ts";
import { type ClusterPlan, headlessCluster } from "./clusters.ts";
import type { V1Port, V1Service } from "./directory.ts";
import { anyAddress, type ListenerPlan, tcpListener } from "./listeners.ts";
import { isTcp } from "./protocols.ts";
import type { ProxySources } from "./sources.ts";

export interface ListenersAndClusters {
  readonly listeners: readonly ListenerPlan[];
  readonly clusters: readonly ClusterPlan[];
}

/**
 * Listeners for connections that are no HTTP: one for each service address and port. A service without an address has
 * its port on all addresses, the first one that wants it.
 */
export function outboundTcp(sources: ProxySources): ListenersAndClusters {
  const listeners: ListenerPlan[] = [];
  const clusters: ClusterPlan[] = [];
  const taken = new Set<number>();
  for (const service of sources.directory.services) {
    if (service.kind === "externalName" || !isExportedTo(service, sources.caller.namespace)) continue;
    for (const port of service.ports) {
      if (!isTcp(port.protocol)) continue;
      const { address, destinations } = placeOf(service);
      if (address === anyAddress) {
        if (taken.has(port.port)) continue;
        taken.add(port.port);
      }
      const cluster = clusterOf(service, port, sources);
      const { protocol } = port;
      clusters.push(cluster);
      listeners.push(
        tcpListener({ address, port: port.port, cluster: cluster.name, destinations, protocol }, sources.age),
      );
    }
  }
  return { listeners, clusters };
}

const placeOf = ({ kind, address }: V1Service) =>
  kind === "headless" || address === ""
    ? { address: anyAddress, destinations: [] }
    : { address, destinations: [address] };

const clusterOf = ({ kind, hostname }: V1Service, port: V1Port, { clusters }: ProxySources): ClusterPlan =>
  kind === "headless" ? headlessCluster : clusters.of(hostname, port);
