import { isExportedTo } from "../envoy/index/services.ts";
import type { V1Port, V1Service } from "./directory.ts";
import { egressHosts } from "./egress-rules.ts";
import { isHttp } from "./protocols.ts";
import { defaultRoute, type RoutePlan } from "./routes.ts";
import type { ProxySources } from "./sources.ts";
import { normaliseHosts, type RouteTables, serviceHost, type VirtualHostPlan } from "./virtual-hosts.ts";

/** What a sidecar's workload may ask for by HTTP. */
export function outboundRoutes(sources: ProxySources): RouteTables {
  const tables = new Map<number, VirtualHostPlan[]>();
  const add = (port: number, host: VirtualHostPlan): void => {
    const known = tables.get(port);
    if (known === undefined) tables.set(port, [host]);
    else known.push(host);
  };
  const { directory, caller } = sources;
  for (const service of directory.services) {
    if (!isExportedTo(service, caller.namespace)) continue;
    for (const port of service.ports) {
      const routes = serviceRoutes(service, port, sources);
      if (routes.length > 0) add(port.port, serviceHost(service, port, caller.node.domain, routes));
    }
  }
  for (const { port, host } of egressHosts(sources)) add(port, host);
  return new Map([...tables].map(([port, hosts]) => [port, normaliseHosts(hosts)]));
}

/** None where a port is not one for HTTP. */
function serviceRoutes(service: V1Service, port: V1Port, sources: ProxySources): readonly RoutePlan[] {
  const { mesh, age, rules, clusters, caller } = sources;
  const { hostname, kind } = service;
  if (kind !== "externalName") return isHttp(port.protocol) ? rules.of(hostname, port, caller) : [];
  const viaProxy = age === "0.2";
  if (viaProxy && mesh.egressProxyAddress === "") return [];
  const routes =
    // Workloads speak HTTP to it all the same (Pilot); with 0.2, TLS begins at the egress proxy.
    port.protocol === "HTTPS"
      ? [defaultRoute(clusters.of(hostname, port))]
      : isHttp(port.protocol)
        ? rules.of(hostname, port, caller)
        : [];
  return viaProxy ? routes.map((route) => ({ ...route, hostRewrite: hostname })) : routes;
}
