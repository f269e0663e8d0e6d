import type { HttpRoute } from "@keelson/protos/route";
import { type ClusterPlan, inboundCluster } from "./clusters.ts";
import type { Instance } from "./directory.ts";
import { httpListener, type ListenerPlan, tcpListener } from "./listeners.ts";
import { type RequestMatch, rewrittenPath } from "./match.ts";
import { asksMixer, mixerOpaque, mixerTcpConfig } from "./mixer.ts";
import type { ListenersAndClusters } from "./outbound-tcp.ts";
import { isHttp, isHttp2 } from "./protocols.ts";
import { defaultRoute, type RoutePlan } from "./routes.ts";
import type { ProxySources } from "./sources.ts";
import { listenerTls } from "./tls.ts";
import { renderHosts } from "./virtual-hosts.ts";

/** What a workload serves: a listener for each address and port, to which captured connections are handed. */
export function inbound(sources: ProxySources): ListenersAndClusters {
  const served = sources.caller.instances.filter(({ port }) => port.protocol !== "UDP");
  const clusters = served.map(({ targetPort, port }) => inboundCluster(targetPort, isHttp2(port.protocol)));
  const listeners = served.map((instance, i) => {
    const cluster = clusters[i] ?? inboundCluster(instance.targetPort, false);
    const listener = isHttp(instance.port.protocol)
      ? httpInbound(instance, cluster, sources)
      : tcpInbound(instance, cluster, sources);
    return sources.mesh.mutualTls ? { ...listener, tls: listenerTls } : listener;
  });
  return { listeners, clusters };
}

function httpInbound(instance: Instance, cluster: ClusterPlan, sources: ProxySources): ListenerPlan {
  const { address, targetPort: port } = instance;
  const routes = inboundRoutes(instance, cluster, sources);
  const host = { name: `inbound|${port}`, domains: ["*"], routes };
  const { hostnames } = sources.caller;
  return httpListener(
    { address, port, routes: renderHosts([host], sources.age), hostnames, operation: "ingress" },
    sources,
  );
}

/** WebSockets have to be let through at both ends; everything else needs no rule here. */
function inboundRoutes({ port }: Instance, cluster: ClusterPlan, sources: ProxySources): RoutePlan[] {
  const { caller, rules, mesh } = sources;
  const opened =
    port.protocol === "HTTP" ? caller.hostnames.flatMap((hostname) => rules.websocketRoutes(hostname)) : [];
  const routes = [
    ...opened.map(({ route, match }) => ({
      ...defaultRoute(cluster),
      match: rewritten(match, route),
      websocket: true,
      operation: "",
    })),
    defaultRoute(cluster),
  ];
  return asksMixer(sources)
    ? routes.map((route) => ({ ...route, opaque: mixerOpaque(mesh, false) }))
    : routes;
}

/** The caller's proxy has rewritten the path before it arrives here. */
const rewritten = (match: RequestMatch, { rewrite }: HttpRoute): RequestMatch =>
  rewrite === undefined || rewrite.uri === ""
    ? match
    : { ...match, path: "", prefix: rewrittenPath(match, rewrite.uri) };

function tcpInbound(instance: Instance, cluster: ClusterPlan, sources: ProxySources): ListenerPlan {
  const { address, targetPort: port, port: servicePort } = instance;
  const { mesh, age, caller } = sources;
  const listener = tcpListener(
    { address, port, cluster: cluster.name, destinations: [address], protocol: servicePort.protocol },
    age,
  );
  if (!asksMixer(sources)) return listener;
  const mixer = { type: "both", name: "mixer", config: mixerTcpConfig(caller, mesh) } as const;
  return { ...listener, filters: [mixer, ...listener.filters] };
}
