import { hostAndPort } from "../envoy/names.ts";
import { type ClusterPlan, inboundCluster, normaliseClusters } from "./clusters.ts";
import { inbound } from "./inbound.ts";
import {
  anyAddress,
  httpListener,
  type ListenerPlan,
  loopback,
  normaliseListeners,
  tcpListener,
} from "./listeners.ts";
import { outboundRoutes } from "./outbound-http.ts";
import { type ListenersAndClusters, outboundTcp } from "./outbound-tcp.ts";
import type { ProxySources } from "./sources.ts";
import { clustersOf, faultsOf, type RouteTables } from "./virtual-hosts.ts";

/** Route configuration of the forward proxy's listener. */
export const forwardProxyRoute = "http_proxy";

/** Listeners of a sidecar, and the clusters that they and its routes name; both sorted. */
export function sidecar(sources: ProxySources): ListenersAndClusters {
  const { mesh } = sources;
  const tables = outboundRoutes(sources);
  const captured = mesh.proxyListenPort > 0 ? capturing(tables, sources) : { listeners: [], clusters: [] };
  const forwards = mesh.proxyHttpPort > 0;
  return {
    listeners: normaliseListeners([...captured.listeners, ...(forwards ? [forwardProxy(sources)] : [])]),
    clusters: normaliseClusters([...captured.clusters, ...(forwards ? httpClusters(tables) : [])]),
  };
}

const httpClusters = (tables: RouteTables): ClusterPlan[] => [...tables.values()].flatMap(clustersOf);

/** All captured connections arrive at one listener, which hands them to the others by what was dialled. */
function capturing(tables: RouteTables, sources: ProxySources): ListenersAndClusters {
  const served = inbound(sources);
  const tcp = outboundTcp(sources);
  const http = [...tables].map(([port, hosts]) =>
    httpListener(
      {
        address: anyAddress,
        port,
        routes: String(port),
        faults: faultsOf(hosts),
        hostnames: sources.caller.hostnames,
        operation: "egress",
      },
      sources,
    ),
  );
  const known = [...served.listeners, ...tcp.listeners, ...http];
  const probes = probeListeners(known, sources);
  return {
    listeners: [
      ...[...known, ...probes.listeners].map((listener) => ({ ...listener, bindToPort: false })),
      captureListener(sources.mesh.proxyListenPort),
    ],
    clusters: [...served.clusters, ...tcp.clusters, ...httpClusters(tables), ...probes.clusters],
  };
}

const captureListener = (port: number): ListenerPlan => ({
  address: hostAndPort(anyAddress, port),
  name: "virtual",
  filters: [],
  bindToPort: true,
  useOriginalDestination: true,
});

/** The kubelet's probes have no certificate, and Mixer is not asked for them. Ports of services are left as they are. */
function probeListeners(known: readonly ListenerPlan[], { caller, age }: ProxySources): ListenersAndClusters {
  const taken = new Set(known.map(({ address }) => address));
  const { address } = caller.node;
  const ports = caller.probePorts.filter((port) => !taken.has(hostAndPort(address, port)));
  const clusters = ports.map((port) => inboundCluster(port, false));
  return {
    listeners: ports.map((port, i) =>
      tcpListener(
        { address, port, cluster: clusters[i]?.name ?? "", destinations: [address], protocol: "TCP" },
        age,
      ),
    ),
    clusters,
  };
}

const forwardProxy = (sources: ProxySources): ListenerPlan =>
  httpListener(
    {
      address: loopback,
      port: sources.mesh.proxyHttpPort,
      routes: forwardProxyRoute,
      hostnames: sources.caller.hostnames,
      operation: "egress",
    },
    sources,
  );
